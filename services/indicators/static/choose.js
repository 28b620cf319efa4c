// Shows the rows that are chosen at once; without it the form's button does.
"use strict";
const form = document.getElementById("choose");
let typed = 0;
const show = async () => {
  const address = new URL("/", location.href);
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.set(name, value);
  try {
    const answer = await fetch(address);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("chosen").replaceWith(fresh.getElementById("chosen"));
    history.replaceState(null, "", address);
  } catch { /* the server is away: what is shown stays */ }
};
form.addEventListener("change", show);
form.addEventListener("input", (event) => {
  if (event.target.type !== "search") return;
  clearTimeout(typed);
  typed = setTimeout(show, 250);
});
form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
