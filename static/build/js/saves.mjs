// A form that is kept as somebody types: its page numbers every save, and the form itself when it is sent, so that the
// server can tell which came first. Once the form is on its way nothing more is saved, until the page is shown again.
// Who leaves the form by another way has what is not kept yet saved as they go.
export function numberSaves(scope) {
  const keeper = scope.querySelector("[data-saves]");
  if (!keeper) return;
  const form = scope.querySelector(keeper.dataset.saves);
  // A page that is loaded anew is another page: its numbers begin again.
  const page = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  let saves = 0;
  let sent = false;
  // Changes so far, and how many of them a save held that was answered well.
  let changes = 0;
  let kept = 0;
  const held = new WeakMap();
  const number = (data) => data.set("_save", `${page}.${++saves}`);
  for (const name of ["input", "change"]) form.addEventListener(name, () => { changes += 1; });
  form.addEventListener("formdata", (event) => number(event.formData));
  keeper.addEventListener("htmx:config:request", (event) => {
    held.set(event.detail.ctx, changes);
    number(event.detail.ctx.request.body);
  });
  keeper.addEventListener("htmx:before:request", (event) => { if (sent) event.preventDefault(); });
  keeper.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response.status < 400) kept = Math.max(kept, held.get(ctx));
  });
  form.addEventListener("submit", () => {
    sent = true;
    keeper.dispatchEvent(new Event("htmx:abort"));
  });
  // Shown from memory, as after “back”, and not for the first time: that may come after the form was sent.
  window.addEventListener("pageshow", (event) => { if (event.persisted) sent = false; });

  function leave() {
    if (sent || kept >= changes) return;
    const before = kept;
    kept = changes;
    const failed = () => { kept = Math.min(kept, before); };
    // As the usual save: without files, numbered by the form's own event.
    const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    const save = (keepalive) => fetch(keeper.dataset.hxPost, { method: "POST", mode: "same-origin", body, keepalive });
    // A browser lets 64 KiB outlive the page. More may still arrive when the page is only hidden.
    save(true).catch(() => save(false)).then((answer) => { if (!answer.ok) failed(); }, failed);
  }
  // A phone ends a hidden page without another word.
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") leave(); });
  window.addEventListener("pagehide", leave);
}
