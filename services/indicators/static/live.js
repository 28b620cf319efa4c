// Puts what changes in place as the server tells of it (server-sent events); the page is whole without it.
"use strict";
const pause = document.getElementById("pause");
const live = document.getElementById("live");
const events = new URL(live.dataset.events, location.href);
const away = document.getElementById("away");
const AGAIN_MS = 10_000, EVENTS_AGAIN_MS = 60_000, AWAY_MS = 6_000;
const waiting = new Map();
let paused = false, source = null, timer = 0, refused = 0, missed = 0;

// Figures that no longer move must not look as if they did.
const heard = () => {
  clearTimeout(missed);
  missed = 0;
  away.hidden = true;
};
const lost = () => {
  missed ||= setTimeout(() => {
    away.textContent = `${away.dataset.said} ${new Date().toLocaleTimeString(document.documentElement.lang)}`;
    away.hidden = false;
  }, AWAY_MS);
};

// What is selected, or has the focus, stays as it is for whoever reads it; what stands around it is renewed.
const words = (one) => [...one.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE).map((each) => each.data).join();
const renew = (old, fresh) => {
  if (old.isEqualNode(fresh)) return true;
  const selection = document.getSelection();
  if (!selection.isCollapsed && selection.containsNode(old, true)) {
    const [mine, theirs] = [[...old.children], [...fresh.children]];
    if (!mine.length || mine.length !== theirs.length || words(old) !== words(fresh)) return false;
    return mine.map((one, at) => renew(one, theirs[at])).every(Boolean);
  }
  const held = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  old.replaceWith(fresh);
  if (held) fresh.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  return true;
};
const put = () => {
  for (const [id, html] of paused ? [] : waiting) {
    const made = document.createElement("template");
    made.innerHTML = html.trim();
    const old = document.getElementById(id);
    if (!old || renew(old, made.content.firstElementChild)) waiting.delete(id);
  }
};

// Without events the whole page is asked for again.
const ask = async () => {
  try {
    const answer = await fetch(location.href);
    if (answer.ok) {
      heard();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const one of fresh.querySelectorAll("[id^=row-], [id^=part-], #uncounted, #clock")) waiting.set(one.id, one.outerHTML);
      put();
    }
  } catch { lost(); }
};

const begin = () => {
  clearTimeout(timer);
  if (document.hidden) return;
  if (!window.EventSource || (refused && Date.now() - refused < EVENTS_AGAIN_MS)) {
    ask().finally(() => { timer = setTimeout(begin, AGAIN_MS); });
    return;
  }
  source = new EventSource(events);
  source.onopen = heard;
  source.onmessage = (event) => {
    heard();
    events.searchParams.set("since", event.lastEventId);
    for (const [id, html] of Object.entries(JSON.parse(event.data))) waiting.set(id, html);
    put();
  };
  source.addEventListener("again", () => { end(); begin(); });
  source.onerror = () => {
    lost();
    if (source?.readyState !== EventSource.CLOSED) return; // it comes again by itself
    source = null;
    refused = Date.now();
    begin();
  };
};

const end = () => {
  clearTimeout(timer);
  source?.close();
  source = null;
};

document.addEventListener("visibilitychange", () => { end(); begin(); });
document.addEventListener("selectionchange", put);
pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", paused);
  pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
  put();
});
begin();
