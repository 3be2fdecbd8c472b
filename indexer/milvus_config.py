"""Settings of the backend `milvus`."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

FROZEN = ConfigDict(frozen=True, extra="forbid")


class MilvusBuild(BaseModel):
    """Where vectors are kept, and what is built over them."""

    model_config = FROZEN

    uri: str
    """A cluster, such as `http://milvus:19530`, or the absolute path of a file that ends in `.db`:
    Milvus Lite, embedded, which one process can open at a time."""
    token_file: str = ""
    """File that holds the token of a cluster; empty where it asks for none."""
    prefix: str = Field(default="shelfmate", pattern=r"^[a-zA-Z_]\w{0,99}$")
    """Beginning of the names of collections; shops that share a cluster need one each."""
    index: Literal["FLAT", "IVF_FLAT", "HNSW", "AUTOINDEX"] = "HNSW"
    """Milvus's name of the index."""
    parameters: dict[str, int] = Field(default={})
    """Its parameters, such as `nlist`, or `M` and `efConstruction`."""

    @field_validator("uri")
    @classmethod
    def _is_whole(cls, uri: str) -> str:
        if "://" not in uri and not (uri.endswith(".db") and Path(uri).is_absolute()):
            raise ValueError(f"expected an URI or an absolute path that ends in .db, got {uri!r}")
        return uri


class MilvusSearch(BaseModel):
    """What a search is told."""

    model_config = FROZEN

    parameters: dict[str, int] = Field(default={})
    """Milvus's search parameters, such as `ef` or `nprobe`."""


class MilvusConfig(BaseModel):
    """A collection of Milvus: embedded in a file, or a cluster that outgrows one machine."""

    model_config = FROZEN

    kind: Literal["milvus"] = "milvus"
    build: MilvusBuild
    """Build half; a change of it needs a new index."""
    search: MilvusSearch = MilvusSearch()
    """Search half; may be replaced when the index is loaded."""
