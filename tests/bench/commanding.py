"""Commands to a demo home, as a member gives them."""

from tests.bench import floors, load
from tests.demo import Client, Demo


async def plain(demo: Demo, client: Client, clients: int, seconds: float) -> load.Figures:
    """Plain commands: each client switches the lamp of the hall, on and off in turn."""
    return await posting(demo, client, clients, seconds, "hall/lamp", ("on", "off"))


async def posting(
    demo: Demo, client: Client, clients: int, seconds: float, device: str, actions: tuple[str, str]
) -> load.Figures:
    """One device's two actions, in turn."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    headers = {
        "Content-Type": "application/json",
        "Cookie": cookies,
        "X-CSRF-Token": client.csrf,
        "Origin": demo.url,
    }
    path = f"/api/v1/devices/{device}/commands"
    bodies = [f'{{"action":"{action}","confirm":true}}'.encode() for action in actions]
    context = floors.trusting(demo.var / "pki" / "web-ca.crt")
    turn = lambda number: (path, bodies[number % 2])  # noqa: E731 - one line, used once
    return await floors.posting(demo.ports["HTTPS"], context, clients, seconds, headers, turn)
