"""The page that has the table."""

from tests.hosts import CHECKOUT

PAGE = CHECKOUT / "docs" / "hosts.md"
