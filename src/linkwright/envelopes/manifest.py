"""The manifest of an Envelope: its data model, and how it is read from and written to XML.

Owns what the values of a manifest may be. It opens no file and does not know which codes exist: unknown codes are
the Validate job's. Source: SPEC section 2.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from xml.sax.saxutils import escape, quoteattr  # writes only

from linkwright.envelopes.corruption import (
    NAMED_FAULTS_COUNT,
    BuildError,
    CorruptEnvelopeError,
    CorruptReason,
    Fault,
    bytes_text,
    shown,
)
from linkwright.envelopes.limits import MAX_FILES_COUNT, MAX_MANIFEST_BYTES
from linkwright.envelopes.manifest_xml import NAMESPACE, FileElement, ManifestDocument, read_document
from linkwright.envelopes.names import names_faults

MANIFEST_NAME = "manifest.xml"
MAX_CODE_CHARACTERS = 200
_COUNT = re.compile(r"[0-9]{1,9}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class RequestType(StrEnum):
    """The data action that an Envelope asks for."""

    SUBMIT_LINKAGE = "SubmitLinkage"
    SUBMIT_DELETION = "SubmitDeletion"
    SUBMIT_EXTRACTION = "SubmitExtraction"
    ESTIMATE_PROBABILITIES = "EstimateProbabilities"
    SUBMIT_QUALITY_REVIEW = "SubmitQualityReview"


class FileFormat(StrEnum):
    """How a data file is written: as its Event Type's Import Format says (plain or gzip), or Parquet."""

    FLAT_FILE = "FlatFile"
    PARQUET = "Parquet"


@dataclass(frozen=True)
class DataFile:
    """One data file: its name in the zip, format, Event Type code, SHA-256 (64 lower-case hex digits) if given.

    The checksum is that of the file as it lies in the zip: of the gzip, not of what is in it.
    """

    file_name: str
    file_format: FileFormat
    event_type_code: str
    sha256: str | None = None


@dataclass(frozen=True)
class MetadataFile:
    """One file that describes the data and is carried along: its name in the zip, and what it is."""

    file_name: str
    description: str = ""


@dataclass(frozen=True)
class Manifest:
    """What an Envelope holds, from whom, for which Linkage Project, and what is to be done with it."""

    linkage_project: str
    sender: str
    request_type: RequestType
    number_of_data_files: int
    data_files: tuple[DataFile, ...]
    metadata_files: tuple[MetadataFile, ...] = ()
    extraction_project: str | None = None


def parse_manifest(xml: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        CorruptEnvelopeError: it cannot be read, or holds what is not allowed; all faults of its values are
            named at once. The reason is that of the faults if all share one (WRONG_COUNT, UNSAFE_NAME,
            DUPLICATE_NAME), else UNREADABLE_MANIFEST.
    """
    document = read_document(xml)
    faults = list(document.faults)
    linkage_project = _text(document, "LinkageProject", faults)
    sender = _text(document, "Sender", faults)
    # absent and empty are the same, so that a template with an empty element serves every data action
    extraction_project = document.texts.get("ExtractionProject") or None
    request_type = _choice(RequestType, "RequestType", _text(document, "RequestType", faults), faults)
    count = _count(_text(document, "NumberOfDataFiles", faults), faults)
    data_elements = [element for element in document.files if element.section == "Data"]
    metadata_elements = [element for element in document.files if element.section == "Metadata"]
    data_files = [_data_file(element, faults) for element in data_elements]
    metadata_files = [_metadata_file(element, faults) for element in metadata_elements]
    known_files = [data_file for data_file in data_files if data_file is not None]
    faults += _codes_faults(linkage_project, sender, extraction_project, known_files)
    faults += _files_faults(_names(data_elements), _names(metadata_elements))
    if request_type is not None:
        faults += _request_faults(request_type, len(data_elements), extraction_project)
    if count is not None and count != len(data_elements):
        faults.append(_wrong_count(count, len(data_elements)))
    if faults or linkage_project is None or sender is None or request_type is None or count is None:
        summary = "manifest.xml cannot be used. Correct what follows, and pack the Envelope again."
        raise CorruptEnvelopeError.of_faults(summary, faults, CorruptReason.UNREADABLE_MANIFEST)
    return Manifest(
        linkage_project=linkage_project,
        sender=sender,
        request_type=request_type,
        number_of_data_files=count,
        data_files=tuple(known_files),
        metadata_files=tuple(metadata_files),
        extraction_project=extraction_project,
    )


def manifest_faults(manifest: Manifest) -> list[Fault]:
    """Name everything in `manifest` that `parse_manifest` would refuse, or that XML cannot carry."""
    data_names = [data_file.file_name for data_file in manifest.data_files]
    metadata_names = [metadata_file.file_name for metadata_file in manifest.metadata_files]
    codes = (manifest.linkage_project, manifest.sender, manifest.extraction_project)
    faults = _codes_faults(*codes, manifest.data_files)
    faults += _files_faults(data_names, metadata_names)
    faults += _request_faults(manifest.request_type, len(data_names), manifest.extraction_project)
    if manifest.number_of_data_files != len(data_names):
        faults.append(_wrong_count(manifest.number_of_data_files, len(data_names)))
    for metadata_file in manifest.metadata_files:
        if _NOT_XML.search(metadata_file.description):
            name, text = shown(metadata_file.file_name), shown(metadata_file.description)
            faults.append(_fault(f"The description of {name} holds a character that XML cannot carry: {text}."))
    for data_file in manifest.data_files:
        if data_file.sha256 is not None and not _SHA256.fullmatch(data_file.sha256):
            faults.append(_bad_checksum(data_file.file_name, data_file.sha256))
    return faults


def write_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as XML in UTF-8; `parse_manifest` reads the same manifest from it.

    Raises:
        BuildError: a value is not allowed in a manifest; all such values are named.
    """
    faults = manifest_faults(manifest)
    if faults:
        texts = [fault.text for fault in faults[:NAMED_FAULTS_COUNT]]
        raise BuildError(
            "The manifest cannot be written. Correct what follows, and build the Envelope again.", texts
        )
    extraction = manifest.extraction_project
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Manifest xmlns="{NAMESPACE}">',
        f"  <LinkageProject>{escape(manifest.linkage_project)}</LinkageProject>",
        f"  <Sender>{escape(manifest.sender)}</Sender>",
        f"  <RequestType>{manifest.request_type.value}</RequestType>",
        f"  <NumberOfDataFiles>{manifest.number_of_data_files}</NumberOfDataFiles>",
        *([] if extraction is None else [f"  <ExtractionProject>{escape(extraction)}</ExtractionProject>"]),
        "  <Data>",
        *(_data_line(data_file) for data_file in manifest.data_files),
        "  </Data>",
        "  <Metadata>",
        *(
            f"    <File fileName={quoteattr(file.file_name)} description={quoteattr(file.description)}/>"
            for file in manifest.metadata_files
        ),
        "  </Metadata>",
        "</Manifest>",
    ]
    xml = ("\n".join(lines) + "\n").encode()
    if len(xml) > MAX_MANIFEST_BYTES:
        limit = bytes_text(MAX_MANIFEST_BYTES)
        raise BuildError(
            f"The manifest would have {bytes_text(len(xml))}, over {limit}. Use shorter descriptions.", []
        )
    return xml


def _data_line(data_file: DataFile) -> str:
    checksum = "" if data_file.sha256 is None else f" sha256={quoteattr(data_file.sha256)}"
    return (
        f"    <File fileName={quoteattr(data_file.file_name)} format={quoteattr(data_file.file_format.value)}"
        f" datasource={quoteattr(data_file.event_type_code)}{checksum}/>"
    )


def _fault(text: str) -> Fault:
    return Fault(CorruptReason.UNREADABLE_MANIFEST, text)


def _text(document: ManifestDocument, element: str, faults: list[Fault]) -> str | None:
    if element not in document.texts:
        faults.append(_fault(f"The element {element} is missing; write it below Manifest."))
    return document.texts.get(element)


def _attribute(element: FileElement, attribute: str, faults: list[Fault]) -> str | None:
    if attribute not in element.attributes:
        where = f"Line {element.line}: {element.section}/File"
        faults.append(_fault(f"{where} lacks the attribute {attribute}; write it."))
    return element.attributes.get(attribute)


_Choice = TypeVar("_Choice", bound=StrEnum)


def _choice(choices: type[_Choice], where: str, text: str | None, faults: list[Fault]) -> _Choice | None:
    if text in set(choices):
        return choices(text)
    if text is not None:
        allowed = ", ".join(choices)
        faults.append(_fault(f"{where} is {shown(text)}; allowed are {allowed} (upper and lower case count)."))
    return None


def _count(text: str | None, faults: list[Fault]) -> int | None:
    if text is None:
        return None
    if not _COUNT.fullmatch(text):
        faults.append(_fault(f"NumberOfDataFiles is {shown(text)}; it must be a whole number in the digits 0-9."))
        return None
    return int(text)


def _data_file(element: FileElement, faults: list[Fault]) -> DataFile | None:
    name = _attribute(element, "fileName", faults)
    format_text = _attribute(element, "format", faults)
    event_type_code = _attribute(element, "datasource", faults)
    sha256 = element.attributes.get("sha256")
    if sha256 is not None:
        sha256 = sha256.strip().lower()
        if not _SHA256.fullmatch(sha256):
            faults.append(_bad_checksum(name or "", sha256))
    where = f"Line {element.line}: the format of {shown(name or '')}"
    file_format = _choice(FileFormat, where, format_text, faults)
    if name is None or file_format is None or event_type_code is None:
        return None
    return DataFile(name, file_format, event_type_code.strip(), sha256)


def _metadata_file(element: FileElement, faults: list[Fault]) -> MetadataFile:
    return MetadataFile(_attribute(element, "fileName", faults) or "", element.attributes.get("description", ""))


def _names(elements: Sequence[FileElement]) -> list[str]:
    return [element.attributes["fileName"] for element in elements if "fileName" in element.attributes]


def _bad_checksum(file_name: str, sha256: str) -> Fault:
    allowed = "it must be 64 hexadecimal digits. Leave it out if it is not known."
    return _fault(f"The sha256 of {shown(file_name)} is {shown(sha256)}; {allowed}")


def _wrong_count(count: int, files_count: int) -> Fault:
    return Fault(
        CorruptReason.WRONG_COUNT,
        f"NumberOfDataFiles says {count:,}, but Data lists {files_count:,} files. "
        "Correct the number, or list the files that are missing.",
    )


def _codes_faults(
    linkage_project: str | None,
    sender: str | None,
    extraction_project: str | None,
    data_files: Sequence[DataFile],
) -> list[Fault]:
    """Name the codes that no catalog entry can have; None stands for one whose absence has been noted."""
    codes = [("LinkageProject", linkage_project), ("Sender", sender), ("ExtractionProject", extraction_project)]
    codes += [(f"The datasource of {shown(file.file_name)}", file.event_type_code) for file in data_files]
    faults = []
    for where, code in codes:
        if code is None:
            continue
        if not code.strip() or code != code.strip():
            faults.append(_fault(f"{where} is {shown(code)}; it must be a code, with no space around it."))
        elif len(code) > MAX_CODE_CHARACTERS or _CONTROL.search(code) or _NOT_XML.search(code):
            limit = f"at most {MAX_CODE_CHARACTERS} printable characters"
            faults.append(_fault(f"{where} is {shown(code)}; a code has {limit}."))
    return faults


def _files_faults(data_names: Sequence[str], metadata_names: Sequence[str]) -> list[Fault]:
    files_count = len(data_names) + len(metadata_names)
    if files_count > MAX_FILES_COUNT:
        limit = f"at most {MAX_FILES_COUNT:,} are allowed. Split the data over several Envelopes."
        return [Fault(CorruptReason.TOO_LARGE, f"The manifest lists {files_count:,} files; {limit}")]
    # the manifest's own name comes first, so that a data file of that name is a duplicate
    return names_faults([MANIFEST_NAME, *data_names, *metadata_names])


def _request_faults(request_type: RequestType, files_count: int, extraction_project: str | None) -> list[Fault]:
    is_extraction = request_type is RequestType.SUBMIT_EXTRACTION
    # the result of an estimation has none: its tables are of no Event Type, and go along as metadata
    may_lack_data = is_extraction or request_type is RequestType.ESTIMATE_PROBABILITIES
    faults = []
    if is_extraction and extraction_project is None:
        faults.append(_fault("The element ExtractionProject is missing; SubmitExtraction needs its code."))
    if not is_extraction and extraction_project is not None:
        faults.append(
            _fault(
                f"ExtractionProject is {shown(extraction_project)}, but only SubmitExtraction takes one, and the "
                f"RequestType is {request_type.value}. Remove the element, or correct the RequestType."
            )
        )
    if files_count == 0 and not may_lack_data:
        faults.append(_fault(f"Data lists no file; {request_type.value} needs at least one."))
    return faults
