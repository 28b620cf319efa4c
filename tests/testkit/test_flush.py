async def test_the_server_has_all_that_was_said_before_a_flush(region, monkeypatch):
    """nats-py writes a ping before what waits to be written: what another said next could come before it."""
    client, written = await region.connect("intel"), []
    transport = client._transport
    for name in ("write", "writelines"):
        write = getattr(transport, name)
        monkeypatch.setattr(transport, name, lambda said, write=write: (written.append(said), write(said)))
    await client.subscribe("crm.ask.*.intel.>")
    await client.flush()
    said = b"".join(one if isinstance(one, bytes) else b"".join(one) for one in written)
    assert said.index(b"SUB ") < said.index(b"PING")
