import unittest

from texttools.reading import minutes


class MinutesTest(unittest.TestCase):
    def test_a_begun_minute_counts_whole(self) -> None:
        self.assertEqual([minutes("word " * count, 10) for count in (1, 10, 11)], [1, 1, 2])

    def test_no_words_take_no_time(self) -> None:
        self.assertEqual(minutes("..."), 0)
