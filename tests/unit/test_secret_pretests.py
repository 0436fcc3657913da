"""What saves a search for secrets saves none that would have found one: with all searches each text is the same."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.secret_shapes import AFTER_A_NAME, IN_A_COMMAND
from tests.unit.test_prefilter import case_records
from trailbell.text import safe_text, secret_names, secret_tokens, secrets
from trailbell.text.secret_commands import without_arguments
from trailbell.text.secret_markup import without_marked_up
from trailbell.text.secret_names import without_named
from trailbell.text.secret_tokens import without_private_keys, without_tokens
from trailbell.text.secrets import GONE, MAX_TEXT, redacted, redacted_name
from trailbell.text.token_forms import TOKEN_FORMS


def tokens_gone(text: str) -> str:
    """`without_tokens`, with beginnings looked for anywhere, and each pattern tried on whatever the text is."""
    text = "".join(secret_tokens._without_known(text))
    for _, _, pattern, instead in secret_tokens._MARKED:
        text = pattern.sub(instead, text)
    return text


def named_gone(text: str) -> str:
    """`without_named`, with both patterns tried on whatever the text is."""
    return "".join(secret_names._parts("".join(secret_names._parts(text, secret_names._NAMED)), secret_names._OPTION))


def private_keys_gone(text: str) -> str:
    """`without_private_keys`, the same."""
    text = secret_tokens._PRIVATE_KEY.sub(f"{GONE[:-1]} private key]", text)
    text = secret_tokens._PUTTY_KEY.sub(rf"\g<head>{GONE[:-1]} private key]", text)
    return secret_tokens._LOGIN.sub(rf"\g<head>{GONE}", text)


def name_gone(text: str) -> str:
    """`redacted_name` without anything that saves a search, but that texts of fewer than eight characters stay."""
    text = text[:MAX_TEXT]
    if len(text) >= 8:
        for without in (private_keys_gone, tokens_gone, without_arguments, without_marked_up, named_gone):
            text = without(text)
    return text


def all_gone(text: str) -> str:
    """`redacted`, the same."""
    return secrets._BLOB.sub(secrets._without_blob, name_gone(text))


def assert_the_same(text: str) -> None:
    assert without_private_keys(text) == private_keys_gone(text)
    assert without_tokens(text) == tokens_gone(text)
    assert without_named(text) == named_gone(text)
    assert redacted_name(text) == name_gone(text)
    assert redacted(text) == all_gone(text)
    assert redacted(text) == all_gone(text), "a second time it is remembered"
    assert safe_text.unlinked(text) == safe_text._LINK.sub(
        lambda link: link[0].replace("://", "[:]//").replace(".", "[.]"), text
    )


_UUIDS = st.uuids().map(str)
_HEADS = st.sampled_from([head for head, _, _ in (*TOKEN_FORMS, *secret_tokens._MORE_FORMS)])
_RANDOM = st.text(alphabet=string.ascii_letters + string.digits + "-_./+=", min_size=4, max_size=60)
_NAMES = st.sampled_from(
    [*secret_names._PASSWORDS[:12], *secret_names._SECRETS[:20], *secret_names._CODES[:5], *secret_names._KEYS, "arn"]
)
_JOINTS = st.sampled_from(
    ["=", ":", "\uff1a", "%3D", "%3a", "=>", ":=", '": "', "\\u003d", " ", ",", "/", "-", "_", ""]
)
_MARKS = st.sampled_from(
    [mark for _, marks, _, _ in secret_tokens._MARKED for mark in marks]
    + [
        "://",
        "@",
        "PRIVATE KEY",
        "PuTTY-User-Key-File-2: ",
        "www.",
        "WWW.",
        "http",
        "\u017f",
        "Bearer ",
        "-u ",
        "curl ",
    ]
)
_ARNS = st.builds(
    "arn:aws:{}:us-east-1:111122223333:{}".format,
    st.sampled_from(["kms", "ssm", "secretsmanager", "iam"]),
    st.one_of(_UUIDS.map("key/{}".format), _RANDOM.map("parameter/{}".format), _RANDOM.map("secret:{}".format)),
)
_SHAPES = st.builds(
    lambda shape, secret: shape.replace("{}", secret), st.sampled_from([*AFTER_A_NAME, *IN_A_COMMAND]), _RANDOM
)
_TEXTS = st.lists(
    st.one_of(_UUIDS, _HEADS, _RANDOM, _NAMES, _JOINTS, _MARKS, _ARNS, _SHAPES, st.text(max_size=5)),
    min_size=1,
    max_size=8,
).map("".join)


@settings(max_examples=examples(1500), deadline=None)
@given(_TEXTS)
def test_texts_with_pieces_of_secrets_are_the_same_with_all_searches(text: str) -> None:
    """Whatever is put together of names, joints, beginnings of tokens, ids and words: a pretest must not say no."""
    assert_the_same(text)


@settings(max_examples=examples(300), deadline=None)
@given(_UUIDS)
def test_no_search_finds_anything_in_a_uuid(text: str) -> None:
    """It is the one form that none is tried on."""
    assert all_gone(text) == name_gone(text) == text


def test_no_beginning_of_a_token_fits_into_a_uuid() -> None:
    """A vendor's new beginning that did would end that."""
    assert not [head for head in secret_tokens._FORMS if set(head) <= set("0123456789abcdef-")]


@settings(max_examples=examples(600), deadline=None)
@given(st.sampled_from(sorted(secret_tokens._FORMS.items())), st.data())
def test_token_is_looked_for_whichever_signs_come_first(form: tuple[str, tuple[int, str]], data: st.DataObject) -> None:
    """Of keys in Base64 (ABSK..., of Bedrock) one in five has a slash or a plus among its first eight characters."""
    head, (least, signs) = form
    alphabet = string.ascii_letters + string.digits + signs * 8
    text = head + data.draw(st.text(alphabet=alphabet, min_size=least, max_size=least + 9))

    assert_the_same(text)
    assert len(text) >= 12


def test_all_texts_of_the_rules_cases_are_the_same_with_all_searches() -> None:
    """Texts as CloudTrail writes them, and some made to be redacted."""
    texts = set[str]()
    left: list[object] = [*case_records()]
    while left:
        node = left.pop()
        if isinstance(node, str):
            texts.add(node)
        elif isinstance(node, dict):
            left += node.values()
            texts |= {f"{name}={value}" for name, value in node.items() if isinstance(value, str)}
        elif isinstance(node, list):
            left += node
    assert len(texts) > 5000
    for text in sorted(texts):
        assert_the_same(text)
