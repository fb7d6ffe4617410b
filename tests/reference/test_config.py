"""A configuration comes from a mapping or the environment, and never shows its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from storeproof.reference.config import Config, ConfigurationError, load_config

URL = "postgresql://ann:secret@db.example.org:5433/app?password=secret"


def test_nothing_given_means_memory() -> None:
    assert load_config({}) == Config.from_mapping({}) == Config()
    assert Config().database_url is None


def test_every_setting_can_be_given_as_text() -> None:
    found = load_config(
        {
            "STOREPROOF_DATABASE_URL": f" {URL}\n",
            "STOREPROOF_CREATE_SCHEMA": "True",
            "STOREPROOF_POOL_SIZE": "3",
            "STOREPROOF_POOL_TIMEOUT": "2",
            "STOREPROOF_STATEMENT_TIMEOUT": "0.5",
            "STOREPROOF_OF_SOMETHING_ELSE": "?",
        }
    )
    expected = Config(
        database_url=URL, create_schema=True, pool_size=3, pool_timeout=2.0, statement_timeout=0.5
    )
    assert found == expected


def test_settings_can_be_given_as_values() -> None:
    given = {"database_url": URL, "create_schema": False, "pool_size": 3, "pool_timeout": 2}
    assert Config.from_mapping(given) == Config(database_url=URL, pool_size=3, pool_timeout=2.0)


def test_an_empty_setting_is_not_given() -> None:
    assert load_config({"STOREPROOF_DATABASE_URL": "", "STOREPROOF_POOL_SIZE": " "}) == Config()
    assert Config.from_mapping({"database_url": None}) == Config()


def test_the_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREPROOF_POOL_SIZE", "7")
    assert load_config().pool_size == 7
    monkeypatch.setenv("STOREPROOF_POOL_SIZE", "8")
    assert load_config().pool_size == 8


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("database_url", 1, "must be text"),
        ("create_schema", "perhaps", "must be true or false"),
        ("create_schema", 2, "must be true or false"),
        ("pool_size", "many", "must be an integer"),
        ("pool_size", "1.5", "must be an integer"),
        ("pool_size", 1.5, "must be an integer"),
        ("pool_size", True, "must be an integer"),
        ("pool_size", "0", "must be at least 1"),
        ("pool_timeout", "soon", "must be seconds"),
        ("pool_timeout", [], "must be seconds"),
        ("pool_timeout", "-1", "must be at least"),
        ("statement_timeout", "nan", "must be at least"),
        ("statement_timeout", "inf", "must be at least"),
        ("databaseurl", URL, "is not a setting. Known are database_url, "),
    ],
)
def test_a_bad_setting_is_named(key: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Config.from_mapping({key: value})
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^STOREPROOF_POOL_SIZE: must"):
        load_config({"STOREPROOF_POOL_SIZE": "x"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "'postgresql://***@db.example.org:5433/app?***'"),
        ("sqlite:////var/data.db", "'sqlite:////var/data.db'"),
        ("postgresql://ann:secret@[::1/app", "'postgresql://***@[::1/app'"),
        ("postgresql://ann:se/secret@host/app", "'postgresql://***@host/app'"),
        ("postgresql://ann:se?secret@host/app", "'***'"),
        ("postgresql://host/app?password=@secret", "'***'"),
        ("ann:secret@host", "'***'"),
        (None, "None"),
    ],
)
def test_secrets_are_not_shown(url: str | None, shown: str) -> None:
    text = repr(Config(database_url=url))
    assert f"database_url={shown}, " in text
    assert "secret" not in text
