"""Access reviews: the embedded cluster has one user, who may do everything."""

from __future__ import annotations

from tui.demo.api import errors
from tui.demo.api.requests import Request, Response, part
from tui.demo.resources import ACCESS_REVIEWS


def respond(request: Request) -> Response:
    """Answer a SelfSubjectAccessReview.

    Raises:
        ApiError: 405 for anything but a POST, 400 for a body that is no review.
    """
    if request.method != "POST":
        raise errors.method_not_allowed()
    review = request.object(ACCESS_REVIEWS.kind)
    return Response.of(
        {
            "kind": ACCESS_REVIEWS.kind,
            "apiVersion": ACCESS_REVIEWS.group_version,
            "metadata": {},
            "spec": part(review, "spec"),
            "status": {
                "allowed": True,
                "reason": "the embedded cluster allows its user everything",
            },
        },
        201,
    )
