import unittest

from texttools.counting import most_common


class MostCommonTest(unittest.TestCase):
    def test_the_most_common_word_comes_first(self) -> None:
        self.assertEqual(most_common("a rose is a rose is a rose", 1), [("a", 3)])

    def test_words_of_one_count_come_in_alphabetical_order(self) -> None:
        self.assertEqual(most_common("c b a", 2), [("a", 1), ("b", 1)])

    def test_there_are_no_more_than_there_are_words(self) -> None:
        self.assertEqual(most_common("one", 5), [("one", 1)])
