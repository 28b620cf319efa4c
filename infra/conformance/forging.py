"""What a region's operator could do to a log, for the inspector: change a row, and have the service sign anew."""

from infra.nats.asking import ask
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.testkit.servers import ROOT
from infra.testkit.system import CrmSystem
from shared.flow.streams import CHECKPOINTS

FORGET = ("delete from tile", "delete from checkpoint", "delete from cosignature")


async def rewrite(system: CrmSystem, service: str) -> None:
    """Change the first row of a service's log; nothing is left there of what was signed before.

    The log has more than one row, and all are in the stream: a service that starts holds the last one against that.
    """
    system.processes.kill(service)
    await system.processes.rows(service, "update log set payload = payload || ' ' where position = 1")
    for statement in FORGET:
        await system.processes.rows(service, statement)
    deleted = await ask(await system.region.connect(ROOT), f"STREAM.DELETE.{CHECKPOINTS}")
    assert deleted.get("success"), deleted
    await provision(await system.region.connect(PROVISIONER))
    system.start(service)
    await system.processes.ready(service)
