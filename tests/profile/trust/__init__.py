"""Tests of the degrees of trust."""
