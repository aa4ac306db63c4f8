// Parts of a page that ask for themselves again (macros/work.html, `polls`). An answer that is an error is not swapped in, by
// the part's own attributes; here it is asked less often from then on, and once some time has passed the part says so itself.
const SOON_MS = 2_000;
const SELDOM_MS = 30_000;
const PATIENCE_MS = 8_000; // A restart of the portal or a short gap in the network is nobody's concern.
const LONGEST_ANSWER_MS = 20_000;
const NOT_SIGNED_IN = 401;
const parts = new WeakMap();

function stateOf(part) {
  if (!parts.has(part)) parts.set(part, { since: Date.now(), failures: 0, due: 0 });
  return parts.get(part);
}

function show(part, what) {
  for (const words of part.querySelectorAll("[data-poll-says]")) words.hidden = words.dataset.pollSays !== what;
}

// As portal.core.times writes it; the day only when it is another one.
function spoken(time) {
  const then = new Date(time);
  const day = then.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "long" };
  const language = document.documentElement.lang.replace(/^en$/, "en-GB");
  return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit" }).format(then);
}

function succeed(part) {
  parts.set(part, { since: Date.now(), failures: 0, due: 0 });
  show(part, "");
}

function fail(part, status) {
  const state = stateOf(part);
  state.due = Date.now() + Math.min(SOON_MS * 2 ** state.failures, SELDOM_MS);
  state.failures += 1;
  if (status === NOT_SIGNED_IN) return show(part, "signed-out");
  if (Date.now() - state.since < PATIENCE_MS) return;
  for (const time of part.querySelectorAll("[data-poll-since]")) time.textContent = spoken(state.since);
  show(part, "failed");
}

export function watchPolls(scope) {
  const listen = (name, handle) => scope.addEventListener(name, (event) => {
    if (event.target.matches?.("[data-polls]")) handle(event, event.target);
  });
  for (const part of scope.querySelectorAll("[data-polls]")) stateOf(part);
  listen("htmx:config:request", (event, part) => {
    if (stateOf(part).due > Date.now()) event.preventDefault();
    event.detail.ctx.request.timeout = LONGEST_ANSWER_MS;
  });
  listen("htmx:after:request", (event, part) => {
    const { status } = event.detail.ctx.response;
    if (status < 400) succeed(part);
    else fail(part, status);
  });
  // No answer at all, or none in time.
  listen("htmx:error", (_event, part) => fail(part, 0));
}
