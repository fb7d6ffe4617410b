// Where somebody chooses days, the range becomes theirs.
"use strict";

for (const days of document.querySelectorAll("input[name=from], input[name=to]")) {
  days.addEventListener("input", () => (days.form.elements.range.value = "custom"));
}

// Keeps what is marked `data-live` up to date: fetches the page again and puts the new parts in place
// of the old ones. It rests while the page is hidden, paused, or one of the parts has the focus.
(() => {
  const parts = () => [...document.querySelectorAll("[data-live]")];
  const button = document.querySelector("[data-pause]");
  if (!button || !parts().length) return;

  let paused = false;
  const seconds = Number(button.dataset.pause);
  const label = () => {
    button.textContent = paused ? "Resume updates" : "Pause updates";
  };

  const refresh = async () => {
    if (paused || document.hidden || parts().some((each) => each.contains(document.activeElement))) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const each of parts()) {
      const other = fresh.getElementById(each.id);
      if (!other) continue;
      const open = [...each.querySelectorAll("details")].map((folded) => folded.open);
      other.querySelectorAll("details").forEach((folded, place) => (folded.open = open[place] ?? folded.open));
      each.replaceWith(document.adoptNode(other));
    }
    document.dispatchEvent(new Event("storeproof:refreshed"));
  };

  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    paused = !paused;
    label();
  });
  setInterval(refresh, seconds * 1000);
})();
