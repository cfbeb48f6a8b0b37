"""A device on aiocoap, driven line by line.

    aiocoap_client.py [local port]

Each line of standard input is a JSON object with `do` and `id`; each line of standard output is one with that `id`:
what came of it. What an observation brings is written as it comes, with the `id` of the observation.

    {"id": 1, "do": "request", "method": "POST", "url": "coap://...", "payload": "{}", "non": false}
    {"id": 2, "do": "observe", "url": "coap://..."}
"""

import asyncio
import json
import sys

from aiocoap import NON, Context, Message
from aiocoap.numbers.codes import Code


def write(id, **what):
    print(json.dumps({"id": id, **what}), flush=True)


def shown(message):
    return {"code": message.code.dotted, "payload": message.payload.decode()}


def message(line, observe=None, echo=None):
    request = Message(code=Code[line.get("method", "GET")], uri=line["url"], payload=line.get("payload", "").encode())
    request.opt.observe = observe
    request.opt.echo = echo
    if line.get("non"):
        request.mtype = NON
    return request


async def send(context, line, observe=None):
    """Sends it again with the Echo option where it is asked for one (RFC 9175 section 2.3)."""
    running = context.request(message(line, observe))
    response = await running.response
    echo = response.opt.echo
    if response.code == Code.UNAUTHORIZED and echo is not None:
        running = context.request(message(line, observe, echo))
        response = await running.response
    write(line["id"], challenged=echo is not None, **shown(response))
    return running


async def request(context, line):
    await send(context, line)


async def observe(context, line):
    running = await send(context, line, observe=0)
    async for notification in running.observation:
        write(line["id"], **shown(notification))


async def open_context():
    if len(sys.argv) == 1:
        return await Context.create_client_context()
    bind = ("::ffff:127.0.0.1", int(sys.argv[1]))
    return await Context.create_server_context(None, bind=bind, transports=["udp6"])


async def main():
    context = await open_context()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    actions = {"request": request, "observe": observe}
    tasks = set()
    while text := await reader.readline():
        line = json.loads(text)
        task = asyncio.create_task(actions[line["do"]](context, line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await context.shutdown()


asyncio.run(main())
