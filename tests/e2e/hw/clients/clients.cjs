// SPDX-License-Identifier: Apache-2.0
// Two Modbus clients by other hands against a sachet-sim: identity, status, bay table, a job into the mailbox, and the
// exceptions 02, 03 and 06 where they are due. Frames go through a recorder, which writes them down.
// usage: node clients.cjs HOST PORT RECORD-FILE   (NODE_PATH names the folder of modbus-serial and jsmodbus)
'use strict';
const net = require('net');
const fs = require('fs');
const assert = require('assert');

const [host, port, record] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const lines = [];

// Passes bytes on and keeps whole frames: "> hex" a request, "< hex" its answer.
function recorder(name) {
    return new Promise((ready) => {
        const server = net.createServer((near) => {
            const far = net.connect(port, host);
            lines.push(`# ${name}`);
            const keep = (mark, from, to) => {
                let held = Buffer.alloc(0);
                from.on('data', (bytes) => {
                    to.write(bytes);
                    held = Buffer.concat([held, bytes]);
                    while (held.length >= 6 && held.length >= 6 + held.readUInt16BE(4)) {
                        const length = 6 + held.readUInt16BE(4);
                        lines.push(`${mark} ${held.subarray(0, length).toString('hex')}`);
                        held = held.subarray(length);
                    }
                });
                from.on('close', () => to.destroy());
                from.on('error', () => to.destroy());
            };
            keep('>', near, far);
            keep('<', far, near);
        });
        server.listen(0, '127.0.0.1', () => ready(server));
    });
}

function crc16(registers) {
    let crc = 0xffff;
    for (const register of registers)
        for (const byte of [register >> 8, register & 255]) {
            crc ^= byte;
            for (let bit = 0; bit < 8; bit++)
                crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
        }
    return crc;
}

function controlBlock(session, heartbeat) {
    const block = new Array(15).fill(0);
    block[0] = 77;
    block[2] = session;
    block[3] = heartbeat;
    return [...block, crc16(block)];
}

// One job of one piece from bay 0.
function mailbox(seq, session) {
    const block = new Array(110).fill(0);
    block[1] = seq;
    block[3] = 4711;
    block[5] = 1;
    block[7] = 1;
    'CLIENT'.split('').forEach((c, i) => { block[54 + (i >> 1)] |= c.charCodeAt(0) << (i % 2 ? 0 : 8); });
    block[71] = session;
    return [...block, crc16(block), seq];
}

// What is asked of either client: read(address, count) and write(address, registers) give registers or throw {code}.
async function exercise(name, client, session, seq) {
    const refused = async (what, code, work) => {
        let got = 0;
        try {
            await work();
        } catch (error) {
            got = error.code;
        }
        assert.strictEqual(got, code, `${name}: ${what}: exception ${got}, expected ${code}`);
    };
    const identity = await client.read(0, 16);
    assert.strictEqual(identity[0], 0x5343, `${name}: magic`);
    assert.strictEqual(crc16(identity.slice(0, 15)), identity[15], `${name}: identity's CRC`);
    const status = await client.read(16, 48);
    assert.strictEqual(crc16(status.slice(0, 47)), status[47], `${name}: status' CRC`);
    const bay = await client.read(2048, 8);
    assert.strictEqual(crc16(bay.slice(0, 7)), bay[7], `${name}: bay's CRC`);
    assert.strictEqual(bay[1], 1, `${name}: canister in bay 0`);
    await client.write(64, controlBlock(session, 1));
    // One write takes 123 registers at most: a job goes in one piece.
    await client.write(128, mailbox(seq, session));
    const after = await client.read(16, 48);
    assert.strictEqual(after[6], seq, `${name}: the job is accepted`);
    await refused('a register that is not there', 2, () => client.read(5000, 1));
    await refused('a write to the status mirror', 2, () => client.write(16, [1]));
    const torn = controlBlock(session, 2);
    torn[15] ^= 1;
    await refused('a control block with a wrong CRC', 3, () => client.write(64, torn));
    await refused('an older session', 6, () => client.write(64, controlBlock(session - 1, 3)));
    console.log(`${name}: identity, status, bays, mailbox, exceptions 02, 03, 06`);
}

async function withModbusSerial() {
    const ModbusRTU = require('modbus-serial');
    const server = await recorder('modbus-serial');
    const client = new ModbusRTU();
    await client.connectTCP('127.0.0.1', { port: server.address().port });
    client.setID(1);
    client.setTimeout(2000);
    const told = (work) => work.catch((error) => { throw { code: error.modbusCode }; });
    await exercise('modbus-serial', {
        read: async (address, count) => (await told(client.readHoldingRegisters(address, count))).data,
        write: (address, registers) => told(client.writeRegisters(address, registers)),
    }, 101, 1);
    await new Promise((done) => client.close(done));
    server.close();
}

async function withJsmodbus() {
    const Modbus = require('jsmodbus');
    const server = await recorder('jsmodbus');
    const socket = new net.Socket();
    const client = new Modbus.client.TCP(socket, 1, 2000);
    await new Promise((ready) => { socket.on('connect', ready); socket.connect(server.address().port, '127.0.0.1'); });
    const told = (work) => work.catch((error) => { throw { code: error.response ? error.response.body.code : error.err }; });
    await exercise('jsmodbus', {
        read: async (address, count) => (await told(client.readHoldingRegisters(address, count))).response.body.valuesAsArray,
        write: (address, registers) => told(client.writeMultipleRegisters(address, registers)),
    }, 201, 2);
    socket.destroy();
    server.close();
}

(async () => {
    await withModbusSerial();
    await withJsmodbus();
    if (record)
        fs.writeFileSync(record, lines.join('\n') + '\n');
    process.exit(0);
})().catch((error) => {
    console.error(error.message || error);
    process.exit(1);
});
