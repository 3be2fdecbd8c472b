"""The gate through which item ids enter."""

from artifacts.errors import RequestError


def checked_id(item_id: str, *, path: str) -> str:
    """Return `item_id` if it can name an item.

    Args:
        item_id: any string.
        path: where it stands in the request, for the error.

    Raises:
        RequestError: it is empty.
    """
    if not item_id:
        raise RequestError(
            f"{path}: expected a non-empty id, got an empty one", field=path, reason="EMPTY_ID"
        )
    return item_id
