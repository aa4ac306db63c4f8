"""Pages of the catalogue's owners: versions, drafts, differences, replays, and the button that publishes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.offerings.queries import document_of
from catalog.versions import draft_presenters, drafting, presenters, queries
from catalog.versions.forms import DraftForm, sent_source
from catalog.versions.model import DraftState
from catalog.versions.presenters import Reader
from catalog.versions.publishing import publish_draft
from catalog.versions.replaying import ask
from portal.core.clock import now
from portal.core.errors import FieldError, NotFound
from portal.core.http import reading, render, transaction
from portal.core.language import N_, _
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission

blueprint = Blueprint("versions", __name__, url_prefix="/offerings")

NO_OFFERING = N_("There is no such offering. Look for it in the list of offerings.")


@blueprint.get("")
@requires(Permission.WRITE_OFFERINGS)
def index() -> Response:
    """Every offering with its version in force, and every draft."""
    actor = current_actor()
    with reading() as session:
        page = presenters.index_page(
            queries.offerings(session), queries.drafts_written(session), Reader(actor, now(session))
        )
    return render("catalog/versions/index.html", offerings=page)


@blueprint.get("/<slug>")
@requires(Permission.WRITE_OFFERINGS)
def show(slug: str) -> Response:
    """One offering's versions and drafts."""
    actor = current_actor()
    with reading() as session:
        versions = queries.versions_of(session, slug)
        if not versions:
            raise NotFound(_(NO_OFFERING))
        name = document_of(queries.get_version(session, slug, versions[0].number)).spoken().name
        page = presenters.offering_page(
            Reader(actor, now(session)), slug, name, versions, queries.drafts_written(session, slug)
        )
    return render("catalog/versions/show.html", offering=page)


@blueprint.get("/<slug>/versions/<int:number>")
@requires(Permission.WRITE_OFFERINGS)
def version(slug: str, number: int) -> Response:
    """One version as it was published, with the replay that was looked at then."""
    actor = current_actor()
    with reading() as session:
        line = next((one for one in queries.versions_of(session, slug) if one.number == number), None)
        found = queries.get_version(session, slug, number)
        kept = queries.find_published_replay(session, found.id)
        page = presenters.version_page(slug, found, line, kept, Reader(actor, now(session)))
    return render("catalog/versions/version.html", version=page)


@blueprint.get("/<slug>/difference")
@requires(Permission.WRITE_OFFERINGS)
def difference(slug: str) -> Response:
    """What differs between two versions; the newest and the one before it where none are named."""
    with reading() as session:
        numbers = [line.number for line in queries.versions_of(session, slug)]
        if not numbers:
            raise NotFound(_(NO_OFFERING))
        after = request.args.get("after", numbers[0], type=int)
        before = request.args.get("before", max(after - 1, numbers[-1]), type=int)
        page = presenters.difference_page(
            slug,
            queries.get_version(session, slug, before),
            queries.get_version(session, slug, after),
            numbers,
        )
    return render("catalog/versions/difference.html", difference=page)


@blueprint.route("/new", methods=["GET", "POST"], defaults={"slug": ""})
@blueprint.route("/<slug>/new", methods=["GET", "POST"])
@requires(Permission.WRITE_OFFERINGS)
def new(slug: str) -> BaseResponse:
    """Begin a draft with the text of the version in force."""
    with reading() as session:
        newest = queries.find_newest_version(session, slug) if slug else None
        if slug and newest is None:
            raise NotFound(_(NO_OFFERING))
        text = presenters.source_of_version(newest) if newest else ""
    form = DraftForm(request.form, source=text).speak()
    if request.method == "GET":
        return render("catalog/versions/new.html", form=form, slug=slug)
    try:
        source = sent_source(form, request.files)
        with transaction() as session:
            made = drafting.draft(session, current_actor(), slug, source)
            draft_id, reads = made.id, bool(made.digest)
    except FieldError as error:
        form.tell(error)
        return render("catalog/versions/new.html", 422, form=form, slug=slug)
    _say_kept(reads=reads)
    return redirect(url_for("versions.draft", draft_id=draft_id), 303)


@blueprint.route("/drafts/<int:draft_id>", methods=["GET", "POST"])
@requires(Permission.WRITE_OFFERINGS)
def draft(draft_id: int) -> BaseResponse:
    """A draft's text with every problem beside it; its author changes it here."""
    actor = current_actor()
    with reading() as session:
        found, author = queries.get_draft(session, draft_id)
        at = now(session)
    form = DraftForm(request.form, source=found.source).speak()
    status = 200
    if request.method == "POST":
        try:
            source = sent_source(form, request.files)
            with transaction() as session:
                kept = drafting.rewrite(session, actor, draft_id, source)
                reads = bool(kept.digest)
        except FieldError as error:
            form.tell(error)
            status = 422
        else:
            _say_kept(reads=reads)
            return redirect(url_for("versions.draft", draft_id=draft_id), 303)
    page = draft_presenters.draft_page(found, author, Reader(actor, at))
    return render("catalog/versions/draft.html", status, form=form, draft=page)


@blueprint.post("/drafts/<int:draft_id>/discard")
@requires(Permission.WRITE_OFFERINGS)
def discard(draft_id: int) -> BaseResponse:
    """Put a draft away."""
    with transaction() as session:
        drafting.discard(session, current_actor(), draft_id)
    flash(_("The draft is discarded."), "success")
    return redirect(url_for("versions.index"), 303)


@blueprint.get("/drafts/<int:draft_id>/review")
@requires(Permission.WRITE_OFFERINGS)
def review(draft_id: int) -> BaseResponse:
    """What the draft changes, what past requests would meet with it, and the button that publishes it."""
    actor = current_actor()
    with reading() as session:
        found, author = queries.get_draft(session, draft_id)
        if found.state is not DraftState.WRITING or not found.digest:
            return redirect(url_for("versions.draft", draft_id=draft_id), 303)
        newest = queries.find_newest_version(session, found.slug)
        replay = queries.find_latest_replay(session, draft_id, found.digest, actor.person_id or 0)
        at = now(session)
    document = drafting.check(found.slug, found.source).document
    if document is None:  # the language has changed since it was saved
        return redirect(url_for("versions.draft", draft_id=draft_id), 303)
    page = draft_presenters.review_page(
        Reader(actor, at), found, author, document=document, newest=newest, replay=replay
    )
    return render("catalog/versions/review.html", review=page)


@blueprint.post("/drafts/<int:draft_id>/replay")
@requires(Permission.WRITE_OFFERINGS)
def replay(draft_id: int) -> BaseResponse:
    """Have past requests run through the draft by a worker."""
    with transaction() as session:
        ask(session, current_actor(), draft_id)
    return redirect(url_for("versions.review", draft_id=draft_id, _anchor="replay"), 303)


@blueprint.post("/drafts/<int:draft_id>/publish")
@requires(Permission.PUBLISH_OFFERINGS)
def publish(draft_id: int) -> BaseResponse:
    """Put the draft in force."""
    with transaction() as session:
        made = publish_draft(
            session,
            current_actor(),
            draft_id,
            digest=request.form.get("digest", ""),
            replay_id=request.form.get("replay", 0, type=int),
        )
        slug, number = made.document["slug"], made.number
    flash(
        _(
            "Version %(number)s is in force. Requests in flight keep the version that they were made with.",
            number=number,
        ),
        "success",
    )
    return redirect(url_for("versions.show", slug=slug), 303)


def _say_kept(*, reads: bool) -> None:
    if reads:
        flash(_("The draft is kept and has no problems."), "success")
    else:
        flash(
            _("The draft is kept as you typed it. It cannot be published before its problems are mended."),
            "warning",
        )
