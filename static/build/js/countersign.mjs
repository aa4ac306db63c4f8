// Everything here is a convenience: each page works without it.
import { createAll } from "govuk-frontend/dist/govuk/init.mjs";
import { Button } from "govuk-frontend/dist/govuk/components/button/button.mjs";
import { CharacterCount } from "govuk-frontend/dist/govuk/components/character-count/character-count.mjs";
import { ErrorSummary } from "govuk-frontend/dist/govuk/components/error-summary/error-summary.mjs";
import { SkipLink } from "govuk-frontend/dist/govuk/components/skip-link/skip-link.mjs";
import { offerToCopy } from "./copy.mjs";
import { watchPolls } from "./polls.mjs";
import { numberSaves } from "./saves.mjs";
import { offerShortcut } from "./shortcut.mjs";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button);
createAll(CharacterCount);
createAll(ErrorSummary);
createAll(SkipLink);
offerToCopy(document);
offerShortcut(document);
numberSaves(document);
watchPolls(document);
