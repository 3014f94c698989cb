import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from texttools.summary import summary


class SummaryTest(unittest.TestCase):
    def test_a_text_is_summed_up_in_a_line(self) -> None:
        self.assertEqual(summary("b a b"), "3 words, 1 min to read, most common: b (2), a (1)")

    def test_the_command_prints_a_line_for_each_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "note.txt"
            file.write_text("one", encoding="utf-8")
            argv = [sys.executable, "-m", "texttools", str(file)]
            output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        self.assertEqual(output, f"{file}: 1 words, 1 min to read, most common: one (1)\n")
