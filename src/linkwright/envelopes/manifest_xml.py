"""Reads the XML of a manifest into texts and file elements, each with its line; refuses DTDs and entities.

Knows which elements and attributes there may be and where, and nothing of what their values mean: that is
manifest.py's. Source: SPEC section 2 (the elements, the namespace; 'DTD or entities in it' is Corrupt).
"""

import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax import SAXException, SAXParseException  # only the exceptions; the parser is defusedxml's
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesNSImpl, InputSource, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from linkwright.envelopes.corruption import (
    NAMED_FAULTS_COUNT,
    CorruptEnvelopeError,
    CorruptReason,
    Fault,
    bytes_text,
    shown,
)
from linkwright.envelopes.limits import MAX_FILES_COUNT, MAX_MANIFEST_BYTES

NAMESPACE: Final = "http://www.phrn.org.au/participants/cdl/20110801"
TEXT_ELEMENTS: Final = ("LinkageProject", "Sender", "RequestType", "NumberOfDataFiles", "ExtractionProject")
FILE_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "Data": ("fileName", "format", "datasource", "sha256"),
    "Metadata": ("fileName", "description"),
}

_TEXT_DEPTH = 2
_FILE_DEPTH = 3
_MAX_DEPTH = 32
_ENCODINGS = ("utf-8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "windows-1252")
_DECLARED_ENCODING = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{0,100})""")


@dataclass(frozen=True)
class FileElement:
    """One `Data/File` or `Metadata/File`: its line, and its attributes as they stand."""

    line: int
    section: str
    attributes: Mapping[str, str]


@dataclass
class ManifestDocument:
    """What a manifest's XML says: the text elements present (stripped), the file elements in order, the faults."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[FileElement] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_document(xml: bytes) -> ManifestDocument:
    """Read the XML of a manifest; elements and attributes that do not belong there are named in `faults`.

    Raises:
        CorruptEnvelopeError: too long, not well-formed XML, another encoding, a DTD or entities, another root
            element or namespace; or faults in such a number that reading on is of no use.
    """
    if len(xml) > MAX_MANIFEST_BYTES:
        raise manifest_too_large(len(xml))
    _check_encoding(xml)
    handler = _DocumentHandler()
    parser = DefusedExpatParser(namespaceHandling=1, forbid_dtd=True)
    parser.setContentHandler(handler)
    source = InputSource()
    source.setByteStream(io.BytesIO(xml))
    try:
        parser.parse(source)
    except DefusedXmlException as error:
        raise CorruptEnvelopeError(
            CorruptReason.FORBIDDEN_XML,
            "manifest.xml holds a DTD (<!DOCTYPE ...>) or entities. These are never accepted: they can make the "
            "server read other files or fill its memory. Remove the DOCTYPE, and pack the Envelope again.",
        ) from error
    except SAXParseException as error:
        raise _unreadable(
            f"line {error.getLineNumber()}, column {(error.getColumnNumber() or 0) + 1}: {error.getMessage()}"
        ) from error
    except (SAXException, ValueError, LookupError, Warning) as error:
        # expat asks Python's codecs for encodings that it does not know, and these raise what they like
        raise _unreadable(str(error)) from error
    return handler.document


def manifest_too_large(size_bytes: int) -> CorruptEnvelopeError:
    """Return the error that a manifest has more bytes than MAX_MANIFEST_BYTES."""
    return CorruptEnvelopeError(
        CorruptReason.TOO_LARGE,
        f"manifest.xml has {bytes_text(size_bytes)}; at most {bytes_text(MAX_MANIFEST_BYTES)} are allowed. "
        "A manifest only lists the files: pack a correct one, or split the Envelope.",
    )


def _unreadable(detail: str) -> CorruptEnvelopeError:
    return CorruptEnvelopeError(
        CorruptReason.UNREADABLE_MANIFEST,
        f"manifest.xml is not readable XML ({detail}). Correct it there, and pack the Envelope again.",
    )


def _check_encoding(xml: bytes) -> None:
    declared = _DECLARED_ENCODING.search(xml)
    if declared is None:
        return
    encoding = declared[1].decode("latin-1")
    if encoding.lower() not in _ENCODINGS:
        raise _unreadable(f"its encoding is {shown(encoding)}; allowed are {', '.join(_ENCODINGS)}")


def _named(namespace: str | None) -> str:
    return f"the namespace {shown(namespace)}" if namespace else "no namespace"


class _DocumentHandler(ContentHandler):
    """Takes the parser's events; keeps what belongs to a manifest and notes what does not."""

    def __init__(self) -> None:
        super().__init__()
        self.document = ManifestDocument()
        self._place = Locator()
        self._path: list[str] = []
        self._seen: Counter[str] = Counter()
        self._text: list[str] = []
        # depth of the outermost element that does not belong: what is inside it is not looked at
        self._foreign_depth: int | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the parser calls it by this name
        self._place = locator

    def startElementNS(  # noqa: N802 - the parser calls it by this name
        self,
        name: tuple[str | None, str],
        qname: str | None,  # noqa: ARG002 - part of the interface
        attrs: AttributesNSImpl,
    ) -> None:
        # a namespace with spaces in it comes in more than two parts, hence no unpacking
        namespace, element = name[0], name[1]
        self._path.append(element)
        depth = len(self._path)
        if depth > _MAX_DEPTH:
            raise CorruptEnvelopeError(
                CorruptReason.UNREADABLE_MANIFEST,
                f"manifest.xml nests its elements over {_MAX_DEPTH} deep (line {self._line()}); a manifest needs "
                f"{_FILE_DEPTH}. Correct it, and pack the Envelope again.",
            )
        if self._foreign_depth is not None:
            return
        if depth == 1:
            self._check_root(namespace, element)
        elif namespace != NAMESPACE:
            self._foreign_depth = depth
            self._fault(f"{self._where()} is in {_named(namespace)}; it must be in '{NAMESPACE}'.")
        elif not self._belongs(element):
            self._foreign_depth = depth
            self._fault(f"{self._where()} is not part of a manifest; {self._allowed_here()}")
        elif depth == _TEXT_DEPTH:
            self._start_section(element)
        own = {key[1]: str(value) for key, value in attrs.items() if key[0] is None}
        if self._foreign_depth is None:
            self._take_attributes(own)

    def endElementNS(  # noqa: N802 - the parser calls it by this name
        self,
        name: tuple[str | None, str],  # noqa: ARG002 - part of the interface
        qname: str | None,  # noqa: ARG002 - part of the interface
    ) -> None:
        depth = len(self._path)
        if self._foreign_depth is None and depth == _TEXT_DEPTH and self._path[-1] in TEXT_ELEMENTS:
            self.document.texts.setdefault(self._path[-1], "".join(self._text).strip())
        if self._foreign_depth == depth:
            self._foreign_depth = None
        self._path.pop()

    def characters(self, content: str) -> None:
        if self._foreign_depth is not None:
            return
        if len(self._path) == _TEXT_DEPTH and self._path[-1] in TEXT_ELEMENTS:
            self._text.append(content)
        elif content.strip():
            self._fault(f"{self._where()} holds the text {shown(content.strip())}; no text is allowed there.")

    def _check_root(self, namespace: str | None, element: str) -> None:
        if (namespace, element) != (NAMESPACE, "Manifest"):
            raise CorruptEnvelopeError(
                CorruptReason.UNREADABLE_MANIFEST,
                f"manifest.xml begins with the element {shown(element)} in {_named(namespace)}; it must be "
                f"'Manifest' in the namespace '{NAMESPACE}'. Write <Manifest xmlns=\"{NAMESPACE}\">, and pack the "
                "Envelope again.",
            )

    def _belongs(self, element: str) -> bool:
        if len(self._path) == _TEXT_DEPTH:
            return element in TEXT_ELEMENTS or element in FILE_ATTRIBUTES
        return len(self._path) == _FILE_DEPTH and self._path[1] in FILE_ATTRIBUTES and element == "File"

    def _allowed_here(self) -> str:
        parent = self._path[-2]
        if len(self._path) == _TEXT_DEPTH:
            return f"{parent} may hold {', '.join([*TEXT_ELEMENTS, *FILE_ATTRIBUTES])}."
        if parent in FILE_ATTRIBUTES:
            return f"{parent} may hold File."
        return f"{parent} may not hold other elements."

    def _start_section(self, element: str) -> None:
        self._text = []
        self._seen[element] += 1
        if self._seen[element] > 1:
            self._foreign_depth = len(self._path)
            self._fault(f"{self._where()} occurs a second time; it may occur once.")

    def _take_attributes(self, attributes: dict[str, str]) -> None:
        is_file = len(self._path) == _FILE_DEPTH
        allowed = FILE_ATTRIBUTES[self._path[1]] if is_file else ()
        allowed_text = f"allowed are {', '.join(allowed)}" if allowed else "it takes none"
        for attribute in attributes:
            if attribute not in allowed:
                self._fault(f"{self._where()} has the attribute {shown(attribute)}; {allowed_text}.")
        if len(self.document.files) >= MAX_FILES_COUNT:
            raise CorruptEnvelopeError(
                CorruptReason.TOO_LARGE,
                f"manifest.xml lists over {MAX_FILES_COUNT:,} files; that many and no more are allowed. Split the "
                "data over several Envelopes.",
            )
        if is_file:
            self.document.files.append(FileElement(self._line(), self._path[1], attributes))

    def _line(self) -> int:
        return self._place.getLineNumber() or 0

    def _where(self) -> str:
        return f"Line {self._line()}: the element {shown('/'.join(self._path[1:] or self._path))}"

    def _fault(self, text: str) -> None:
        self.document.faults.append(Fault(CorruptReason.UNREADABLE_MANIFEST, text))
        if len(self.document.faults) >= NAMED_FAULTS_COUNT:
            raise CorruptEnvelopeError.of_faults(
                f"manifest.xml has {NAMED_FAULTS_COUNT} faults or more; reading stopped there. "
                "Correct it, and pack the Envelope again.",
                self.document.faults,
                CorruptReason.UNREADABLE_MANIFEST,
            )
