// A form that is kept as somebody types: its page numbers every save, and the form itself when it is sent, so that the
// server can tell which came first. Once the form is on its way nothing more is saved, until the page is shown again.
export function numberSaves(scope) {
  const keeper = scope.querySelector("[data-saves]");
  if (!keeper) return;
  const form = scope.querySelector(keeper.dataset.saves);
  // A page that is loaded anew is another page: its numbers begin again.
  const page = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  let saves = 0;
  let sent = false;
  const number = (data) => data.set("_save", `${page}.${++saves}`);
  form.addEventListener("formdata", (event) => number(event.formData));
  keeper.addEventListener("htmx:config:request", (event) => number(event.detail.ctx.request.body));
  keeper.addEventListener("htmx:before:request", (event) => { if (sent) event.preventDefault(); });
  form.addEventListener("submit", () => {
    sent = true;
    keeper.dispatchEvent(new Event("htmx:abort"));
  });
  // Shown from memory, as after “back”, and not for the first time: that may come after the form was sent.
  window.addEventListener("pageshow", (event) => { if (event.persisted) sent = false; });
}
