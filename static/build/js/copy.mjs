// A button that copies what stands before it; it is hidden in the page until a script can serve it.
export function offerToCopy(scope) {
  if (!navigator.clipboard) return;
  for (const button of scope.querySelectorAll("[data-copy]")) {
    const label = button.querySelector("[data-copy-label]");
    const before = label.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = button.dataset.copied;
      setTimeout(() => { label.textContent = before; }, 2500);
    });
  }
}
