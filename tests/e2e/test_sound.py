"""A sound for what arrives: in one tab of the browser, once for many, and only where it is allowed."""

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.bell import Bell
from tests.e2e.site import Site, somebody
from tests.e2e.watching import Traffic, be_patient, becomes, is_live, record_violations
from tests.services.waiting import eventually

# All that is played, and by which device: whether it is running tells that it is heard.
_RECORD = """
globalThis.played = [];
globalThis.sources = [];
globalThis.devices = [];
globalThis.wakes = 0;
globalThis.rests = 0;
globalThis.AudioContext = class extends AudioContext {
  constructor() {
    super();
    devices.push(this);
  }
  resume() {
    wakes += 1;
    return super.resume();
  }
  suspend() {
    rests += 1;
    return super.suspend();
  }
};
for (const { prototype } of [AudioScheduledSourceNode, AudioBufferSourceNode]) {
  const { start } = prototype;
  prototype.start = function (...when) {
    played.push([this.constructor.name, this.buffer?.duration, this.context.state]);
    sources.push(this);
    return start.apply(this, when);
  };
}
"""

# A browser that lets nothing be heard before a click; from then on a device may take its time.
_REFUSE = """
globalThis.isAllowed = false;
{
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (callback, delay) => setTimeout(callback, isAllowed ? 20 * delay : delay);
}
globalThis.addEventListener("click", () => { isAllowed = true; }, true);
globalThis.AudioContext = class extends AudioContext {
  get state() { return isAllowed ? super.state : "suspended"; }
  resume() { return isAllowed ? super.resume() : new Promise(() => {}); }
};
"""

# Time passes by `ahead` alone, to whoever asks for it: a busy machine takes longer than the pause between two sounds.
_STAND_STILL = """
globalThis.ahead = 0;
{
  const began = performance.now();
  performance.now = () => began + ahead;
}
"""

NOTE = ["OscillatorNode", None, "running"]
CHIME = [NOTE, NOTE]


async def opened(
    site: Site,
    page: Page,
    username: str,
    path: str = "/strict/?sound",
    *,
    is_allowed: bool = True,
) -> Bell:
    await page.add_init_script(_RECORD)
    if is_allowed:
        # Half a second is not enough for the first device of a busy machine.
        await be_patient(page)
    await site.sign_in(page, username)
    await page.goto(f"{site.url}{path}")
    await is_live(page)
    return Bell(page)


async def comes_to_play(page: Page, sources: list[list[object]]) -> None:
    async def has() -> bool:
        played: list[list[object]] = await page.evaluate("played")
        return played == sources

    await eventually(has, f"played: {sources}")


async def is_at_rest(page: Page) -> None:
    """Waits until the page has let go of the device: what it has to play is over."""
    await becomes(
        page,
        "wakes && wakes === rests && devices.every(({ state }) => state === 'suspended')",
    )


async def test_what_arrives_is_heard(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await record_violations(page)
    await site.tell(ada, "There before")
    await page.add_init_script(_STAND_STILL)
    bell = await opened(site, page, ada)
    await bell.counts(1)
    assert await page.evaluate("played") == []
    await site.tell(ada, *(f"Burst {number}" for number in range(5)))
    await bell.counts(6)
    await is_at_rest(page)
    await comes_to_play(page, CHIME)
    # Not yet again, though the next one may be any tab's by now; and then again.
    await becomes(
        page,
        """navigator.locks.query().then(({ held }) =>
          !held.some(({ name }) => name === "stored_messages:toasts sound"))""",
    )
    for number, passed in enumerate((0, 2900), start=7):
        await page.evaluate("(passed) => { ahead = passed; }", passed)
        await site.tell(ada, "Just after")
        await bell.counts(number)
        assert await page.evaluate("wakes") == 1
    await page.evaluate("ahead = 3100")
    await site.tell(ada, "Later")
    await comes_to_play(page, CHIME * 2)
    assert await page.evaluate("devices.length") == 1
    assert await page.evaluate("violations") == []


async def test_one_tab_is_enough(site: Site, context: BrowserContext) -> None:
    ada = somebody("ada")
    pages = [await context.new_page() for _ in range(3)]
    for page in pages:
        await opened(site, page, ada)
    await site.tell(ada, "News")
    for page in pages:
        await Bell(page).counts(1)
        await is_at_rest(page)
    assert sum([await page.evaluate("played.length") for page in pages]) == len(CHIME)


async def test_who_is_not_allowed_is_quiet(site: Site, page: Page) -> None:
    ada = somebody("ada")
    traffic = Traffic(page)
    await page.add_init_script(_REFUSE)
    bell = await opened(site, page, ada, is_allowed=False)
    await site.tell(ada, "Unheard")
    await eventually(
        lambda: [one.text for one in traffic.console if one.type == "debug"],
        "it is told to who debugs the page",
    )
    await bell.counts(1)
    await page.mouse.click(300, 300)
    await is_at_rest(page)
    assert await page.evaluate("played") == []
    assert not traffic.complaints
    assert [one.text for one in traffic.console if one.type == "debug"] == [
        "notification-sound: the browser wants a click in the page first"
    ]
    # From the click on it is allowed.
    await site.tell(ada, "Heard")
    await bell.counts(2)
    await comes_to_play(page, CHIME)


@pytest.mark.parametrize("file", ["/buzz.wav", "/nothing.wav"])
async def test_a_sound_of_ones_own(file: str, site: Site, page: Page) -> None:
    ada = somebody("ada")
    await record_violations(page)
    traffic = Traffic(page)
    await opened(site, page, ada, f"/strict/?sound={file}")
    await site.tell(ada, "News")
    is_there = file == "/buzz.wav"
    await comes_to_play(page, [["AudioBufferSourceNode", 0.1, "running"]] if is_there else CHIME)
    assert await page.evaluate("violations") == []
    told = [one for one in traffic.complaints if one.startswith("notification-sound")]
    assert len(told) == (0 if is_there else 1)


async def test_a_long_one_is_played_to_its_end(site: Site, page: Page) -> None:
    ada = somebody("ada")
    await page.clock.install()
    bell = await opened(site, page, ada, "/strict/?sound=/buzz.wav%3Ftenths=900")
    long = ["AudioBufferSourceNode", 90, "running"]
    await site.tell(ada, "News")
    await comes_to_play(page, [long])
    # Longer than the pause between two.
    await page.clock.run_for(4000)
    await site.tell(ada, "Meanwhile")
    await bell.counts(2)
    await page.clock.run_for(1000)
    await comes_to_play(page, [long])
    await page.evaluate("sources[0].stop()")
    await is_at_rest(page)

    async def is_heard() -> bool:
        await site.tell(ada, "Later")
        return bool(await page.evaluate("played.length === 2"))

    await eventually(is_heard, "the next one is heard")
    assert await page.evaluate("devices[0].state") == "running"


async def test_nothing_is_heard_unasked(site: Site, page: Page) -> None:
    ada = somebody("ada")
    bell = await opened(site, page, ada, "/bare/")
    for name in ("extras", "sound"):
        await page.add_script_tag(url=f"/static/realtime/notification-{name}.js", type="module")
    await site.tell(ada, "News")
    await bell.counts(1)
    assert await page.evaluate("devices.length") == 0
