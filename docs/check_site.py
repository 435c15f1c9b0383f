"""Look at the built documentation as a reader would: links, pages in Chromium at two widths, search, copy buttons.

``make docs-check``, or ``python docs/check_site.py docs/_build/html --shots shots``. Exit code 1 and a line for each
fault. Needs no network; what lies elsewhere is counted, not followed.
"""

import argparse
import functools
import http.server
import shutil
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
FETCHED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
ELSEWHERE = ("http", "https", "mailto")


class Page(HTMLParser):
    """Collect what a page links to, what it loads, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Take a tag."""
        attrs = dict(attrs)
        self.anchors.update(attrs[key] for key in ("id", "name") if attrs.get(key))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag in FETCHED and attrs.get(FETCHED[tag]):
            self.loads.append(attrs[FETCHED[tag]])


def faults_of_links(folder):
    """Return a line for each link, image, script or style sheet of the pages in ``folder`` that leads nowhere.

    What a page loads from elsewhere is a fault, too; a link to elsewhere is none.
    """
    folder = Path(folder).resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(folder)
        for url in page.links + page.loads:
            parts = urlsplit(url)
            if parts.scheme in (*ELSEWHERE, "data", "javascript") or parts.netloc:
                if url in page.loads and parts.scheme != "data":
                    faults.append(f"{name}: loads {url} from elsewhere")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                faults.append(f"{name}: no file for {url}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                faults.append(f"{name}: no anchor for {url}")
    return faults


def n_links_elsewhere(folder):
    """Return how many different addresses outside the pages are linked."""
    pages = (Page(path.read_text(encoding="utf-8")) for path in Path(folder).rglob("*.html"))
    return len({url for page in pages for url in page.links if urlsplit(url).scheme in ELSEWHERE})


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def faults_in_browser(folder, shots=None, progress=print):
    """Open each page at two widths; return a line for each console error, broken image and page wider than its screen.

    ``shots`` is a folder for a picture of each page at each width.
    """
    from playwright.sync_api import sync_playwright

    folder = Path(folder)
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.html"))]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site, faults = f"http://127.0.0.1:{server.server_port}", []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for label, (width, height) in WIDTHS.items():
            context = browser.new_context(viewport={"width": width, "height": height})
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
            page, heard = context.new_page(), []
            page.on("console", lambda said, heard=heard: said.type == "error" and heard.append(said.text))
            page.on("pageerror", lambda error, heard=heard: heard.append(str(error)))
            page.on("requestfailed", lambda request, heard=heard: heard.append(f"not loaded: {request.url}"))
            for name in names:
                page.goto(f"{site}/{name}", wait_until="load")
                faults += [f"{name} ({label}): {fault}" for fault in _looked_at(page, width)]
                if shots:
                    picture = Path(shots) / label / name.replace("/", "_").replace(".html", ".png")
                    page.screenshot(path=picture, full_page=True)
                faults += [f"{name} ({label}): {text}" for text in heard]
                heard.clear()
            faults += [f"({label}) {fault}" for fault in (*_searched(page, site), *_copied(page, site))]
            faults += [f"({label}) {text}" for text in heard]
            progress(f"{label}: {len(names)} pages, {width} px")
            context.close()
        browser.close()
    server.shutdown()
    return faults


def _looked_at(page, width):
    """Yield faults of the page that is open."""
    broken = page.evaluate(
        """async () => {
            const images = [...document.images];
            images.forEach(image => image.loading = 'eager');
            await Promise.all(images.map(image => image.decode().catch(() => {})));
            return images.filter(image => image.naturalWidth === 0).map(image => image.src);
        }"""
    )
    yield from (f"broken image {src}" for src in broken)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"{wide} px wide"


def _searched(page, site, word="hvsr", least=5):
    """Yield a fault unless a search finds pages, the one on HVSR among the first ten."""
    from playwright.sync_api import TimeoutError as TookTooLong

    page.goto(f"{site}/search.html?q={word}")
    try:
        page.wait_for_function(f"document.querySelectorAll('ul.search li a').length >= {least}", timeout=10_000)
    except TookTooLong:
        yield f"search for {word!r} finds fewer than {least} pages"
        return
    page.wait_for_load_state("networkidle")  # the pages found are fetched for their summaries
    found = page.evaluate("[...document.querySelectorAll('ul.search > li > a')].map(a => a.getAttribute('href'))")
    if not any("guide/hvsr.html" in href for href in found[:10]):
        yield f"search for {word!r} finds {found[:10]}, not guide/hvsr.html"


def _copied(page, site):
    """Yield a fault unless the first code block of the quickstart is what its button copies."""
    page.goto(f"{site}/quickstart.html")
    if not page.locator("button.copybtn").count():
        yield "no copy button in quickstart.html"
        return
    block = page.locator("div.highlight").first
    block.hover()
    page.locator("button.copybtn").first.click()
    page.wait_for_timeout(200)
    copied, shown = page.evaluate("navigator.clipboard.readText()"), block.locator("pre").inner_text()
    if not copied.strip() or copied.strip() != shown.strip():
        yield f"copied {copied!r}, not {shown!r}"


def main():
    """Check the folder given; print faults and return whether there were none."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default="docs/_build/html", help="the built pages [%(default)s]")
    parser.add_argument("--shots", help="folder for pictures of all pages [none]")
    given = parser.parse_args()
    if not (Path(given.folder) / "index.html").is_file():
        sys.exit(f"no index.html in {given.folder}: make docs first")
    for label in WIDTHS if given.shots else ():
        (Path(given.shots) / label).mkdir(parents=True, exist_ok=True)
    faults = faults_of_links(given.folder)
    print(f"links: {len(faults)} faults; {n_links_elsewhere(given.folder)} addresses elsewhere, not followed")
    faults += faults_in_browser(given.folder, given.shots)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
