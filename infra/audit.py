"""`make audit`: known weaknesses of the packages in the images, and base images that are named by tag only.

pip-audit asks the list of advisories. Where it cannot be reached, or does not know a package, nothing is known of that
package, which is told as a fault: pip-audit by itself ends well then.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = "crm-"
"""How the names of images begin that are built here."""
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_ARG = re.compile(r"^ARG\s+(\w+)=(\S+)", re.MULTILINE)
_IMAGE = re.compile(r"^\s*image:\s*[\"']?([^\s\"']+)", re.MULTILINE)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def weak(told: str) -> Iterator[str]:
    """Yield in words what pip-audit's JSON says against packages, and of which it says nothing.

    >>> list(weak(""))
    ['packages: no list of known weaknesses can be reached; nothing is known of any']
    """
    try:
        packages = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        packages = []
    if all("skip_reason" in one for one in packages):
        yield "packages: no list of known weaknesses can be reached; nothing is known of any"
        return
    for one in packages:
        if "skip_reason" in one:
            yield f"package {one['name']}: the list does not know it"
        for found in one.get("vulns", ()):
            cure = ", ".join(found.get("fix_versions") or ()) or "no version"
            yield f"package {one['name']} {one['version']}: {found['id']}, mended in {cure}"


def unpinned(dockerfile: str, compose: str) -> list[str]:
    """Return the images of others that are named without a digest (`@sha256:`), so that a registry may change them."""
    values = dict(_ARG.findall(dockerfile))
    stages = {stage for _, stage in _FROM.findall(dockerfile)}
    named = [
        re.sub(r"\$\{(\w+)\}", lambda one: values.get(one[1], ""), image) for image, _ in _FROM.findall(dockerfile)
    ]
    named = [image for image in named if image not in stages]
    named += [image for image in _IMAGE.findall(compose) if not image.startswith(OWN)]
    return sorted({image for image in named if not _DIGEST.search(image)})


def images(root: Path = ROOT) -> list[str] | None:
    """Return the images of others that the files of a checkout name by tag only; None: there is no checkout."""
    try:
        return unpinned((root / "infra/Dockerfile").read_text(), (root / "compose.yaml").read_text())
    except OSError:
        return None


def main() -> None:
    """Tell all that is found; end with 1 if there is anything."""
    found = [*weak(sys.stdin.read())]
    found += [f"image {image}: named by tag, not by digest" for image in images() or ()]
    for line in found:
        sys.stderr.write(f"{line}\n")
    if found:
        raise SystemExit(1)
    sys.stdout.write("no known weakness; all images are pinned\n")


if __name__ == "__main__":
    main()
