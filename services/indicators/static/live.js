// Puts what changes in place as the server tells of it (server-sent events); the page is whole without it.
"use strict";
const pause = document.getElementById("pause");
const live = document.getElementById("live");
const events = new URL(live.dataset.events, location.href);
const AGAIN_MS = 10_000, EVENTS_AGAIN_MS = 60_000;
const waiting = new Map();
let paused = false, source = null, timer = 0, refused = 0;

// What is selected, or has the focus, stays as it is for whoever reads it.
const put = () => {
  const selection = document.getSelection();
  for (const [id, html] of paused ? [] : waiting) {
    const old = document.getElementById(id);
    if (old && !selection.isCollapsed && selection.containsNode(old, true)) continue;
    waiting.delete(id);
    if (!old) continue;
    const held = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const made = document.createElement("template");
    made.innerHTML = html.trim();
    const fresh = made.content.firstElementChild;
    old.replaceWith(fresh);
    if (held) fresh.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }
};

// Without events the whole page is asked for again.
const ask = async () => {
  try {
    const answer = await fetch(location.href);
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const one of fresh.querySelectorAll("[id^=row-], [id^=part-], #uncounted, #clock")) waiting.set(one.id, one.outerHTML);
      put();
    }
  } catch { /* the server is away; the last figures stay */ }
};

const begin = () => {
  clearTimeout(timer);
  if (document.hidden) return;
  if (!window.EventSource || (refused && Date.now() - refused < EVENTS_AGAIN_MS)) {
    ask().finally(() => { timer = setTimeout(begin, AGAIN_MS); });
    return;
  }
  source = new EventSource(events);
  source.onmessage = (event) => {
    events.searchParams.set("since", event.lastEventId);
    for (const [id, html] of Object.entries(JSON.parse(event.data))) waiting.set(id, html);
    put();
  };
  source.addEventListener("again", () => { end(); begin(); });
  source.onerror = () => {
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
  pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
  put();
});
begin();
