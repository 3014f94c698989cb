"""Tests of the bounds of templates."""
