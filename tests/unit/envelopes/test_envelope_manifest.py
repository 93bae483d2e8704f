"""The manifest: what is read, what is refused and how it is said, and that writing and reading agree."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from linkwright.envelopes.corruption import NAMED_FAULTS_COUNT, BuildError, CorruptEnvelopeError, CorruptReason
from linkwright.envelopes.limits import MAX_FILES_COUNT, MAX_MANIFEST_BYTES
from linkwright.envelopes.manifest import (
    DataFile,
    FileFormat,
    Manifest,
    MetadataFile,
    RequestType,
    manifest_faults,
    parse_manifest,
    write_manifest,
)
from tests.cpu_deadline import computes_briefly

NAMESPACE = "http://www.phrn.org.au/participants/cdl/20110801"
SHA256 = "ab" * 32

GOOD = f"""<?xml version="1.0" encoding="utf-8"?>
<Manifest xmlns="{NAMESPACE}">
  <LinkageProject> DEMO </LinkageProject>
  <Sender>HOSPITAL</Sender>
  <RequestType>SubmitLinkage</RequestType>
  <NumberOfDataFiles>2</NumberOfDataFiles>
  <Data>
    <File fileName="births.csv" format="FlatFile" datasource="BIRTHS" sha256="{SHA256.upper()}"/>
    <File fileName="more/deaths.parquet" format="Parquet" datasource="DEATHS"/>
  </Data>
  <Metadata><File fileName="notes.txt" description="About the data"/></Metadata>
</Manifest>
"""
EXPECTED = Manifest(
    linkage_project="DEMO",
    sender="HOSPITAL",
    request_type=RequestType.SUBMIT_LINKAGE,
    number_of_data_files=2,
    data_files=(
        DataFile("births.csv", FileFormat.FLAT_FILE, "BIRTHS", SHA256),
        DataFile("more/deaths.parquet", FileFormat.PARQUET, "DEATHS"),
    ),
    metadata_files=(MetadataFile("notes.txt", "About the data"),),
)


def refusal(xml: str | bytes) -> CorruptEnvelopeError:
    with pytest.raises(CorruptEnvelopeError) as caught:
        parse_manifest(xml.encode() if isinstance(xml, str) else xml)
    return caught.value


def test_a_manifest_is_read_with_its_texts_trimmed_and_its_checksum_in_lower_case() -> None:
    assert parse_manifest(GOOD.encode()) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252"])
def test_a_manifest_may_come_in_other_common_encodings(encoding: str) -> None:
    xml = GOOD.replace('encoding="utf-8"', f'encoding="{encoding}"').replace("HOSPITAL", "HÔPITAL")
    assert parse_manifest(xml.encode(encoding)).sender == "HÔPITAL"


def test_a_prefix_for_the_namespace_and_attributes_of_other_namespaces_are_accepted() -> None:
    xml = GOOD.replace("<Manifest xmlns=", '<p:Manifest xmlns:x="urn:x" x:schemaLocation="y" xmlns:p=')
    for element in ("LinkageProject", "Sender", "RequestType", "NumberOfDataFiles", "Data", "Metadata", "File"):
        xml = xml.replace(f"<{element}", f"<p:{element}").replace(f"</{element}", f"</p:{element}")
    assert parse_manifest(xml.replace("</Manifest", "</p:Manifest").encode()) == EXPECTED


def test_an_extraction_names_its_extraction_project_and_may_list_no_files() -> None:
    xml = f"""<Manifest xmlns="{NAMESPACE}"><LinkageProject>DEMO</LinkageProject><Sender>HOSPITAL</Sender>
    <RequestType>SubmitExtraction</RequestType><ExtractionProject>STUDY</ExtractionProject>
    <NumberOfDataFiles>0</NumberOfDataFiles></Manifest>"""
    manifest = parse_manifest(xml.encode())
    assert (manifest.extraction_project, manifest.data_files) == ("STUDY", ())


def test_an_empty_extraction_project_is_none_at_all() -> None:
    assert parse_manifest(GOOD.replace("<Data>", "<ExtractionProject/><Data>").encode()) == EXPECTED


def test_all_faults_are_named_at_once() -> None:
    xml = (
        GOOD.replace("<Sender>HOSPITAL</Sender>", "")
        .replace("SubmitLinkage", "submitlinkage")
        .replace(">2<", ">two<")
        .replace('"FlatFile"', '"CSV"')
        .replace('"Parquet" datasource="DEATHS"', '"Parquet"')
        .replace("notes.txt", "../notes.txt")
    )
    error = refusal(xml)
    assert error.reason is CorruptReason.UNREADABLE_MANIFEST
    assert error.summary == "manifest.xml cannot be used. Correct what follows, and pack the Envelope again."
    assert sorted(error.faults) == [
        "Line 8: the format of 'births.csv' is 'CSV'; allowed are FlatFile, Parquet (upper and lower case count).",
        "Line 9: Data/File lacks the attribute datasource; write it.",
        "NumberOfDataFiles is 'two'; it must be a whole number in the digits 0-9.",
        (
            "RequestType is 'submitlinkage'; allowed are SubmitLinkage, SubmitDeletion, SubmitExtraction, "
            "EstimateProbabilities, SubmitQualityReview (upper and lower case count)."
        ),
        "The element Sender is missing; write it below Manifest.",
        "The file name '../notes.txt' leaves the folder by '..'. Rename the file, and pack the Envelope again.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "reason", "message"),
    [
        (">2<", ">3<", CorruptReason.WRONG_COUNT, "NumberOfDataFiles says 3, but Data lists 2 files."),
        ("births.csv", "/etc/passwd", CorruptReason.UNSAFE_NAME, "'/etc/passwd' is an absolute path"),
        ("births.csv", "manifest.xml", CorruptReason.DUPLICATE_NAME, "The file name 'manifest.xml' occurs twice"),
        ("notes.txt", "births.csv", CorruptReason.DUPLICATE_NAME, "The file name 'births.csv' occurs twice"),
        (" DEMO ", " ", CorruptReason.UNREADABLE_MANIFEST, "LinkageProject is ''; it must be a code"),
        ('"BIRTHS"', '" "', CorruptReason.UNREADABLE_MANIFEST, "The datasource of 'births.csv' is ''"),
        ("HOSPITAL", "H" * 201, CorruptReason.UNREADABLE_MANIFEST, "a code has at most 200 printable characters"),
        ("HOSPITAL", "A&#10;B", CorruptReason.UNREADABLE_MANIFEST, "Sender is 'A\\nB'"),
        (
            SHA256.upper(),
            "12zz",
            CorruptReason.UNREADABLE_MANIFEST,
            "The sha256 of 'births.csv' is '12zz'; it must",
        ),
        (">2<", ">٢<", CorruptReason.UNREADABLE_MANIFEST, "NumberOfDataFiles is '٢'; it must be a whole number"),
        (">2<", f">{'9' * 5000}<", CorruptReason.UNREADABLE_MANIFEST, "it must be a whole number"),
        (
            "sha256=",
            "sha265=",
            CorruptReason.UNREADABLE_MANIFEST,
            "has the attribute 'sha265'; allowed are fileName",
        ),
        (
            "<Data>",
            "<Dta/><Data>",
            CorruptReason.UNREADABLE_MANIFEST,
            "Line 7: the element 'Dta' is not part of a",
        ),
        (
            "<Data>",
            "<Data/><Data>",
            CorruptReason.UNREADABLE_MANIFEST,
            "'Data' occurs a second time; it may occur",
        ),
        ("<Data>", "<Data>stray", CorruptReason.UNREADABLE_MANIFEST, "the element 'Data' holds the text 'stray'"),
        ("<Metadata>", "<Metadata x='1'>", CorruptReason.UNREADABLE_MANIFEST, "the attribute 'x'; it takes none"),
        ("SubmitLinkage", "SubmitExtraction", CorruptReason.UNREADABLE_MANIFEST, "ExtractionProject is missing"),
        (
            "<Data>",
            "<ExtractionProject>STUDY</ExtractionProject><Data>",
            CorruptReason.UNREADABLE_MANIFEST,
            "ExtractionProject is 'STUDY', but only SubmitExtraction takes one",
        ),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_is_allowed(
    old: str, new: str, reason: CorruptReason, message: str
) -> None:
    error = refusal(GOOD.replace(old, new))
    assert message in str(error)
    assert error.reason is reason


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "</Data>",
            "</Data><Dta x='1'>text<File/><Data/></Dta>",
            (
                "Line 10: the element 'Dta' is not part of a manifest; Manifest may hold LinkageProject, Sender, "
                "RequestType, NumberOfDataFiles, ExtractionProject, Data, Metadata."
            ),
        ),
        (
            "</Data>",
            "</Data><Data x='1'><File/>text</Data>",
            "Line 10: the element 'Data' occurs a second time; it may occur once.",
        ),
        (
            "</Data>",
            "</Data><Sender xmlns='urn:x'>OTHER</Sender>",
            f"Line 10: the element 'Sender' is in the namespace 'urn:x'; it must be in '{NAMESPACE}'.",
        ),
        (
            "</Metadata>",
            "<File fileName='x.txt'><b/></File></Metadata>",
            "Line 11: the element 'Metadata/File/b' is not part of a manifest; File may not hold other elements.",
        ),
    ],
)
def test_what_does_not_belong_is_one_fault_with_all_that_is_in_it(old: str, new: str, fault: str) -> None:
    assert refusal(GOOD.replace(old, new)).faults == (fault,)


def test_faults_behind_an_element_that_does_not_belong_are_named_too() -> None:
    error = refusal(GOOD.replace("<Data>", "<Dta><x/></Dta><Data>").replace("Parquet", "parquet"))
    assert [fault[:30] for fault in error.faults] == [
        "Line 7: the element 'Dta' is n",
        "Line 9: the format of 'more/de",
    ]


def test_a_linkage_of_no_files_is_refused() -> None:
    head, _, rest = GOOD.partition("<Data>")
    tail = rest.partition("</Data>")[2]
    error = refusal(head.replace(">2<", ">0<") + tail)
    assert error.faults == ("Data lists no file; SubmitLinkage needs at least one.",)


def test_the_result_of_an_estimation_may_hold_no_data_file() -> None:
    head, _, rest = GOOD.partition("<Data>")
    tail = rest.partition("</Data>")[2]
    manifest = parse_manifest(
        (head.replace(">2<", ">0<") + tail).replace("SubmitLinkage", "EstimateProbabilities").encode()
    )
    assert manifest.data_files == ()


@pytest.mark.parametrize(
    ("root", "found"),
    [
        ("<Manifest>", "the element 'Manifest' in no namespace"),
        ('<Manifest xmlns="urn:other">', "the element 'Manifest' in the namespace 'urn:other'"),
        (f'<manifest xmlns="{NAMESPACE}">', "the element 'manifest' in the namespace"),
    ],
)
def test_another_root_is_refused_with_the_one_that_is_wanted(root: str, found: str) -> None:
    name = root.partition(" ")[0].strip("<>")
    error = refusal(f"{root}</{name}>")
    assert found in str(error)
    assert f'Write <Manifest xmlns="{NAMESPACE}">' in str(error)


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE Manifest>",
        '<!DOCTYPE Manifest SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE Manifest [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Manifest [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE Manifest [<!ENTITY % p SYSTEM "http://example.org/p">%p;]>',
    ],
)
def test_a_dtd_or_entities_are_refused(doctype: str) -> None:
    error = refusal(GOOD.replace("<Manifest", doctype + "<Manifest").replace("HOSPITAL", "&b;&secret;"))
    assert error.reason is CorruptReason.FORBIDDEN_XML
    assert "manifest.xml holds a DTD (<!DOCTYPE ...>) or entities." in str(error)
    assert "Remove the DOCTYPE, and pack the Envelope again." in str(error)


def test_an_entity_that_is_not_declared_is_refused() -> None:
    error = refusal(GOOD.replace("HOSPITAL", "&secret;"))
    assert "manifest.xml is not readable XML (line 4, column 11: undefined entity)" in str(error)


@pytest.mark.parametrize(
    ("xml", "detail"),
    [
        (b"", "no element found"),
        (b"id,surname", "syntax error"),
        (GOOD[:300].encode(), "line 8, column 5: unclosed token"),
        (b"\xff\xfe\x00\xd8", "partial character"),
        (GOOD.replace("HOSPITAL", "H\x01").encode(), "line 4, column 12: not well-formed"),
        (GOOD.replace("utf-8", "unicode_escape").encode(), "its encoding is 'unicode_escape'; allowed are utf-8"),
        (GOOD.replace("utf-8", "unicode_escape").encode("utf-16"), ""),
        (GOOD.replace("HOSPITAL", "HÔPITAL").encode("latin-1"), "not well-formed"),
    ],
    ids=["empty", "csv", "cut", "utf-16 cut", "control character", "encoding", "encoding in utf-16", "not utf-8"],
)
def test_what_is_not_xml_is_refused_with_the_place(xml: bytes, detail: str) -> None:
    error = refusal(xml)
    assert error.reason is CorruptReason.UNREADABLE_MANIFEST
    assert "manifest.xml is not readable XML (" in str(error)
    assert detail in str(error)


def test_deep_nesting_is_refused_at_once() -> None:
    xml = f'<Manifest xmlns="{NAMESPACE}">' + "<a>" * 1_000_000
    started = time.perf_counter()
    error = refusal(xml)
    assert "nests its elements over 32 deep" in str(error)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "flood",
    [
        "<Data " + " ".join(f'a{number}="1"' for number in range(200_000)) + "/>",
        "<a/>" * 500_000,
        "<Data>" + "<File/>" * 300_000 + "</Data>",
        f"<Sender>{'x' * 3_000_000}</Sender>",
    ],
    ids=["attributes", "elements", "files", "text"],
)
def test_a_flood_is_refused_in_a_short_message_and_a_short_time(flood: str) -> None:
    started = time.perf_counter()
    error = refusal(f'<Manifest xmlns="{NAMESPACE}">{flood}</Manifest>')
    assert len(error.faults) <= NAMED_FAULTS_COUNT + 1
    assert len(str(error)) < 20_000
    assert time.perf_counter() - started < 5


def test_a_manifest_over_the_size_bound_is_refused() -> None:
    error = refusal(GOOD + " " * MAX_MANIFEST_BYTES)
    assert error.reason is CorruptReason.TOO_LARGE
    assert "at most 4.0 MiB (4,194,304 bytes) are allowed" in str(error)


def test_a_manifest_of_too_many_files_is_refused() -> None:
    files = "".join(
        f'<File fileName="{number}" format="FlatFile" datasource="B"/>' for number in range(MAX_FILES_COUNT)
    )
    error = refusal(GOOD.replace("<Data>", "<Data>" + files).replace(">2<", f">{MAX_FILES_COUNT + 2}<"))
    assert error.reason is CorruptReason.TOO_LARGE
    assert "manifest.xml lists over 2,000 files; that many and no more are allowed." in str(error)


def test_writing_refuses_what_could_not_be_read() -> None:
    manifest = Manifest(
        linkage_project="",
        sender=" H ",
        request_type=RequestType.SUBMIT_LINKAGE,
        number_of_data_files=2,
        data_files=(DataFile("a\\b", FileFormat.FLAT_FILE, "B", "AB"),),
        metadata_files=(MetadataFile("n.txt", "\x00"),),
    )
    with pytest.raises(BuildError) as caught:
        write_manifest(manifest)
    assert len(caught.value.faults) == 6


codes = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
file_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\:"), min_size=1, max_size=30
).map(lambda name: f"f{name}")
descriptions = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t\r"),
    max_size=50,
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    request_type = draw(st.sampled_from(RequestType))
    is_extraction = request_type is RequestType.SUBMIT_EXTRACTION
    names = draw(st.lists(file_names, min_size=0 if is_extraction else 1, max_size=5, unique_by=str.casefold))
    split = draw(st.integers(0 if is_extraction else 1, len(names)))
    checksums = st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)
    data_files = tuple(
        DataFile(name, draw(st.sampled_from(FileFormat)), draw(codes), draw(checksums)) for name in names[:split]
    )
    return Manifest(
        linkage_project=draw(codes),
        sender=draw(codes),
        request_type=request_type,
        number_of_data_files=len(data_files),
        data_files=data_files,
        metadata_files=tuple(MetadataFile(name, draw(descriptions)) for name in names[split:]),
        extraction_project=draw(codes) if is_extraction else None,
    )


@given(manifests())
@computes_briefly
def test_what_is_written_reads_back_the_same(manifest: Manifest) -> None:
    # names that only Unicode's rules make equal are rightly refused
    assume(not manifest_faults(manifest))
    assert parse_manifest(write_manifest(manifest)) == manifest


@given(st.data())
@computes_briefly
def test_a_mutated_manifest_is_read_or_clearly_refused(data: st.DataObject) -> None:
    xml = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(xml)))
        end = data.draw(st.integers(start, min(len(xml), start + 30)))
        fragments = st.sampled_from(
            [b"<", b">", b"&", b'"', b"\0", b"<!DOCTYPE x>", b"<![CDATA[", b"&#0;", b"\xff"]
        )
        xml[start:end] = data.draw(fragments | st.binary(max_size=10) | st.just(bytes(xml[:end])))
    try:
        manifest = parse_manifest(bytes(xml))
        outcome = f"manifest.xml lists {manifest.number_of_data_files} files"
    except CorruptEnvelopeError as error:
        outcome = error.summary
    assert outcome.startswith("manifest.xml ")
