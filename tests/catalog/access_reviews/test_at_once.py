"""Two reviewers at the same instant, on both databases: one answer counts, and the other is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from catalog.access_reviews import tags
from catalog.access_reviews.answering import Say
from catalog.access_reviews.model import ItemState
from portal.core.errors import Conflict


def test_of_two_answers_at_once_one_counts_and_the_other_is_refused(campaigns, cast):
    campaigns.granted("hello")
    review_id = campaigns.opened()
    (item,) = campaigns.items(review_id)
    together = Barrier(2)

    def say(who, what):
        together.wait(timeout=60)
        try:
            campaigns.says(who, item, what, "As I see it.")
        except Conflict:
            return None
        return what

    with ThreadPoolExecutor(2) as pool:
        given = [pool.submit(say, cast.owner, Say.KEEP), pool.submit(say, cast.second_owner, Say.REVOKE)]
        counted = [future.result(timeout=120) for future in given]
    (winner,) = [what for what in counted if what is not None]
    (item,) = campaigns.items(review_id)
    assert item.turn == 1
    assert item.state is {Say.KEEP: ItemState.KEPT, Say.REVOKE: ItemState.REVOKED}[winner]
    assert campaigns.tags(review_id).count(tags.ANSWERED) == 1
