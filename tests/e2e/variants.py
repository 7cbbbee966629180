"""Plugins that are built in a test: Treez from its own sources, with some of its numbers changed."""
import os
import re
import subprocess

import tap


def treez(target, version="1.0.0", **numbers):
    """Builds it as target, in one step. numbers: members of its streams, such as least_s=0, item_only="false"."""
    folder = tap.folder()
    sources = []
    for name in sorted(os.listdir(tap.source("plugins", "treez"))):
        if not name.endswith((".c", ".h")):
            continue
        with open(tap.source("plugins", "treez", name), encoding="utf-8") as file:
            text = file.read().replace('.version = "1.0.0"', f'.version = "{version}"')
        for member, value in numbers.items():
            text = re.sub(rf"\.{member} = \w+", f".{member} = {value}", text)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        sources += [os.path.join(folder, name)] if name.endswith(".c") else []
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu11", "-O1", "-g", "-shared", "-fPIC", "-fvisibility=hidden",
                    "-I", tap.source("sdk", "include"), "-o", target + ".part", *sources], check=True)
    os.rename(target + ".part", target)
