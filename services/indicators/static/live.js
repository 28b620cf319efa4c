// Puts the newest figures in place every two seconds; the page is whole without it.
"use strict";
const pause = document.getElementById("pause");
let paused = false;
pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
});
const update = async () => {
  if (!paused && !document.hidden) {
    try {
      const answer = await fetch(location.href);
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        const held = document.activeElement?.getAttribute("href");
        document.getElementById("live").replaceWith(fresh);
        if (held) document.querySelector(`#live a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
      }
    } catch { /* the server is away; the last figures stay */ }
  }
  setTimeout(update, 2000);
};
setTimeout(update, 2000);
