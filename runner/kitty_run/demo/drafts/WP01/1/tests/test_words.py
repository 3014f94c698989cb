import unittest

from texttools.words import words


class WordsTest(unittest.TestCase):
    def test_words_come_in_order_and_in_lower_case(self) -> None:
        self.assertEqual(words("Ford  Prefect\nsays"), ["ford", "prefect", "says"])

    def test_an_apostrophe_inside_a_word_belongs_to_it(self) -> None:
        self.assertEqual(words("'Don't panic'"), ["don't", "panic"])

    def test_digits_and_punctuation_are_no_words(self) -> None:
        self.assertEqual(words("42, 7!"), [])
