"""A small agent's command line, for the tests of the check: `fake run [OPTION...]`, with the prompt on stdin.

It works with a model service that speaks chat completions. What may be wrong with it is in `FAKE_FAULTS`.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

OPTIONS = ("--mode", "--json", "--again", "--shell")
MODES = ("read", "write")


def main(arguments: list[str], faults: list[str]) -> int:
    if "--version" in arguments:
        print("fake 1.2.3")
        return 0
    if "--help" in arguments:
        print(f"usage: fake run [{'] ['.join(OPTIONS)}]")
        return 0
    unknown = [item for item in arguments if item.startswith("--") and item.split("=")[0] not in OPTIONS]
    if unknown and "lax" not in faults:
        print(f"error: unknown option {unknown[0]}", file=sys.stderr)
        return 2
    mode = value(arguments, "--mode") or "write"
    if mode not in MODES:
        print(f"error: --mode is one of {', '.join(MODES)}, not {mode}", file=sys.stderr)
        return 2
    return work(arguments, mode, faults)


def value(arguments: list[str], option: str) -> str:
    places = [number for number, item in enumerate(arguments) if item == option]
    return arguments[places[-1] + 1] if places else ""


def work(arguments: list[str], mode: str, faults: list[str]) -> int:
    session = value(arguments, "--again") or "s-1"
    messages: list[dict[str, Any]] = [{"role": "user", "content": sys.stdin.read()}]
    while True:
        try:
            reply = ask(messages)
        except urllib.error.HTTPError as error:
            print(json.dumps({"error": error.code}))
            return 1
        if not reply.get("tool_calls"):
            break
        [call] = reply["tool_calls"]
        done = use(call["function"], mode, "--shell" in arguments, faults)
        messages += [reply, {"role": "tool", "content": done}]
    session = f"s-{os.getpid()}" if "forgetful" in faults else session
    said = " ".join(reply["content"].split()) if "flat" in faults else reply["content"]
    told = {"said": said, "session": session, "tokens": 7}
    print(json.dumps(told))
    return 0


def ask(messages: list[dict[str, Any]]) -> dict[str, Any]:
    if "FAKE_URL" not in os.environ and "FAKE_FREE" in os.environ:
        return {"content": "an answer of a model that nobody chose"}
    body = json.dumps({"messages": messages, "tools": [{"name": "write"}, {"name": "shell"}]}).encode()
    with urllib.request.urlopen(os.environ["FAKE_URL"] + "/v1/chat/completions", body) as answer:
        found: dict[str, Any] = json.load(answer)["choices"][0]["message"]
    return found


def use(function: dict[str, str], mode: str, shell: bool, faults: list[str]) -> str:
    given = json.loads(function["arguments"])
    if function["name"] == "shell":
        if shell:
            subprocess.run(given["command"], shell=True, check=False)
        return "done" if shell else "there is no shell"
    path = pathlib.Path(given["path"])
    inside = path.is_relative_to(pathlib.Path.cwd()) or "unconfined" in faults
    if mode == "write" and inside:
        path.write_text("x = 1\n")
        return "done"
    return "refused"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ.get("FAKE_FAULTS", "").split()))
