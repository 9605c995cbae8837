"""Sources, catalogs and compiled catalogs are in step: `make messages` brings them there."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf.global_settings import LANGUAGES as LANGUAGES_OF_DJANGO
from django.utils.translation import override, to_language

from realtime.texts import EXAMPLES, EXAMPLES_OF, bell_texts
from tests.translations.catalogs import (
    LANGUAGES,
    PACKAGES,
    Catalog,
    read_compiled,
    read_source,
    source_of,
    texts_of,
)

# `{count}` and `%(number)d`.
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)\w|%\w")

each = pytest.mark.parametrize(
    ("package", "language"), [(package, language) for package in PACKAGES for language in LANGUAGES]
)


@pytest.fixture
def path(package: str, language: str) -> Path:
    return source_of(package, language)


@pytest.fixture
def catalog(path: Path) -> Catalog:
    return read_source(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_there_are_no_other_languages(package: str) -> None:
    directories = source_of(package, "de").parents[2].iterdir()
    assert sorted(path.name for path in directories) == sorted(LANGUAGES)


@each
def test_each_text_of_the_sources_is_translated(package: str, catalog: Catalog) -> None:
    assert {entry.text for entry in catalog.entries} == texts_of(package)
    assert [entry.text for entry in catalog.entries if entry.is_fuzzy] == []
    assert [entry.text for entry in catalog.entries if not all(entry.forms)] == []


@each
def test_placeholders_are_those_of_the_source(catalog: Catalog, language: str) -> None:
    for entry in catalog.entries:
        expected = set(PLACEHOLDER.findall(entry.text.singular))
        for number, form in enumerate(entry.forms):
            found = set(PLACEHOLDER.findall(form))
            # Where a form is for one number only, a language may say it in a word.
            is_of_one_number = language == "ar" and bool(entry.text.plural) and number < 3
            assert found == expected or (is_of_one_number and not found), form


@each
def test_there_is_a_form_for_each_plural(catalog: Catalog) -> None:
    [number] = re.findall(r"nplurals=(\d);", catalog.headers["Plural-Forms"])
    for entry in catalog.entries:
        assert len(entry.forms) == (int(number) if entry.text.plural else 1)


@each
def test_the_compiled_catalog_is_that_of_the_source(path: Path, catalog: Catalog) -> None:
    compiled = read_compiled(path.with_suffix(".mo"))
    assert compiled.info()["plural-forms"] == catalog.headers["Plural-Forms"]
    written = {}
    for (context, singular, plural), forms in ((one.text, one.forms) for one in catalog.entries):
        key = f"{context}\x04{singular}" if context else singular
        written |= {(key, n): form for n, form in enumerate(forms)} if plural else {key: forms[0]}
    held = dict(vars(compiled)["_catalog"])
    del held[""]
    assert held == written


def test_the_bell_has_all_plural_categories_of_arabic() -> None:
    with override("ar"):
        texts = bell_texts()
    assert texts is not None
    forms = texts["arrived_many"]
    assert forms.keys() == {"zero", "one", "two", "few", "many", "other"}
    assert len(set(forms.values())) == 6
    assert [name for name, text in forms.items() if "{count}" in text] == ["few", "many", "other"]


@pytest.mark.parametrize(
    ("language", "categories"),
    [
        ("de", ["one", "other"]),
        ("fr", ["zero", "one", "many", "other"]),
        ("zh-hans", None),
    ],
)
def test_categories_that_say_the_same_are_one(language: str, categories: list[str] | None) -> None:
    with override(language):
        texts = bell_texts()
    assert texts is not None
    forms = texts["arrived_many"]
    assert (list(forms) if isinstance(forms, dict) else None) == categories


def test_the_examples_are_of_their_categories() -> None:
    """In every language of Django, as a browser sees it, each category that whole numbers have."""
    languages = [to_language(code) for code, _ in LANGUAGES_OF_DJANGO]
    examples = {code: EXAMPLES | EXAMPLES_OF.get(code.split("-")[0], {}) for code in languages}
    script = """
        const examples = JSON.parse(process.argv[1]);
        const wrong = [];
        for (const [language, numbers] of Object.entries(examples)) {
          const rules = new Intl.PluralRules(language);
          const some = [...Array(1000).keys(), 1_000_000];
          for (const category of new Set(some.map((number) => rules.select(number)))) {
            if (rules.select(numbers[category]) !== category) wrong.push(`${language} ${category}`);
          }
        }
        console.log(JSON.stringify(wrong));
    """
    answer = subprocess.run(
        ["node", "-e", script, json.dumps(examples)], capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout) == []
