// The / key goes to the page's search box, unless somebody is typing.
export function offerShortcut(scope) {
  const box = scope.querySelector("[data-shortcut]");
  if (!box) return;
  scope.addEventListener("keydown", (event) => {
    if (event.key !== box.dataset.shortcut || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}
