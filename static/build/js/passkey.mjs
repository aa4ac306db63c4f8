// Makes passkeys and signs with them. It fills a field of the page's own form and sends that form: the server decides.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

async function create(options) {
  const made = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: keys(options.excludeCredentials),
  } });
  return { ...named(made), response: {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports ? made.response.getTransports() : [],
  } };
}

async function get(options) {
  const made = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: keys(options.allowCredentials),
  } });
  return { ...named(made), response: {
    clientDataJSON: text(made.response.clientDataJSON),
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
  } };
}

const named = (made) => ({ id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {} });

for (const notice of document.querySelectorAll("[data-passkey-without-script]")) notice.remove();

const problem = document.querySelector("[data-passkey-problem]");

function say(kind) {
  problem.querySelector("[data-passkey-words]").textContent = problem.dataset[kind] || "";
  problem.hidden = !kind;
  if (kind) problem.scrollIntoView({ block: "nearest" });
}

// Which options a press of this button needs: one set for the whole form, or one for each value of the button.
function wanted(form, button) {
  const all = JSON.parse(form.dataset.passkeyOptions);
  return form.dataset.passkey === "create" ? all : all[button ? button.value : ""];
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const opened = Date.now();
  const seconds = Number(form.dataset.passkeySeconds || Infinity);
  let sending = false;
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const options = wanted(form, button);
    // What needs no key, lacks what must be written, or has waited for too long goes to the server, which says so.
    const missing = [...form.querySelectorAll("[data-passkey-required]")].some((field) => !field.value.trim());
    const unwritten = button && button.value === "deny" && form.elements.comment && !form.elements.comment.value.trim();
    if (sending || !options || missing || unwritten || Date.now() - opened > seconds * 1000) return;
    event.preventDefault();
    say("");
    if (!window.PublicKeyCredential) return say("unsupported");
    try {
      const answer = form.dataset.passkey === "create" ? await create(options) : await get(options);
      form.elements[form.dataset.passkeyField || "answer"].value = JSON.stringify(answer);
    } catch (error) {
      const kinds = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
      return say(kinds[error.name] || "failed");
    }
    sending = true;
    form.requestSubmit(button);
  });
}
