// SPDX-License-Identifier: Apache-2.0
// A machine by other hands: npm's modbus-serial serves the default register map (hw/modbus/registers.md), written here
// from its page alone. It takes control blocks and jobs whose CRC is right and answers each job at once with a good
// result. Frames go through a recorder that writes them down: "> request", "< answer", hex.
// usage: node machine.cjs PORT-FILE RECORD-FILE    (NODE_PATH names the folder of modbus-serial); ends on SIGTERM
'use strict';
const fs = require('fs');
const net = require('net');
const { ServerTCP } = require('modbus-serial');

const registers = new Uint16Array(4096);
const lines = [];
const IDENTITY = 0, STATUS = 16, CONTROL = 64, MAILBOX = 128, RESULT = 512, BAY = 2048;
const RING = 8, BAYS = 5;

function crc16(from, count) {
    let crc = 0xffff;
    for (let i = from; i < from + count; i++)
        for (const byte of [registers[i] >> 8, registers[i] & 255]) {
            crc ^= byte;
            for (let bit = 0; bit < 8; bit++)
                crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
        }
    return crc;
}

function put32(at, value) {
    registers[at] = value >>> 16;
    registers[at + 1] = value & 0xffff;
}

function close(at, length) {
    registers[at + length - 1] = crc16(at, length - 1);
}

function init() {
    registers.set([0x5343, 1], IDENTITY);
    'PEER0001'.split('').forEach((c, i) => { registers[2 + (i >> 1)] |= c.charCodeAt(0) << (i % 2 ? 0 : 8); });
    registers.set([0x0203, BAYS, RING, RING, 8], IDENTITY + 6);
    close(IDENTITY, 16);
    put32(STATUS + 1, 65538); // boots: both words count
    registers[STATUS + 3] = 1;
    registers[STATUS + 4] = 6;
    registers[STATUS + 24] = 65535;
    put32(STATUS + 25, 300001);
    registers[STATUS + 29] = 1500;
    registers[STATUS + 30] = 1500;
    registers[STATUS + 31] = registers[STATUS + 32] = 1;
    close(STATUS, 48);
    for (let bay = 0; bay < BAYS; bay++) {
        put32(BAY + 8 * bay, 70001 + bay);
        registers[BAY + 8 * bay + 2] = 400 - bay;
        close(BAY + 8 * bay, 8);
    }
    for (let k = 0; k < RING; k++)
        close(RESULT + 64 * k, 64);
}

function takeControl() {
    if (registers[CONTROL + 15] !== crc16(CONTROL, 15))
        throw { modbusErrorCode: 3, msg: 'CRC of the control block' };
    registers[STATUS] = registers[CONTROL];
    registers.copyWithin(STATUS + 14, CONTROL + 1, CONTROL + 3);
    registers.copyWithin(STATUS + 11, CONTROL + 8, CONTROL + 10);
    registers[STATUS + 34] = registers[CONTROL + 5];
    registers[STATUS + 35] = registers[CONTROL + 5] ? 1 : 0;
    close(STATUS, 48);
}

function takeJob() {
    const seq = registers[MAILBOX] * 65536 + registers[MAILBOX + 1];
    if (registers[MAILBOX + 111] !== registers[MAILBOX + 1] || registers[MAILBOX + 110] !== crc16(MAILBOX, 110))
        return; // torn: ignored, no error
    const at = RESULT + 64 * (seq % RING), entries = registers[MAILBOX + 5];
    registers.fill(0, at, at + 64);
    registers.copyWithin(at, MAILBOX, MAILBOX + 4);
    registers[at + 4] = 1;
    registers[at + 6] = entries;
    registers[at + 8] = registers[at + 9] = 1500;
    put32(at + 13, 65538);
    for (let i = 0; i < entries; i++)
        registers[at + 15 + 2 * i] = registers[at + 16 + 2 * i] = registers[MAILBOX + 7 + 2 * i];
    close(at, 64);
    for (const counter of [5, 7, 9])
        put32(STATUS + counter, seq);
    close(STATUS, 48);
}

// This library hands registers over one by one; the last one of a block makes it count.
const vector = {
    getHoldingRegister: (address) => registers[address],
    setRegister: (address, value) => {
        registers[address] = value;
        if (address === CONTROL + 15)
            takeControl();
        if (address === MAILBOX + 111)
            takeJob();
    },
};

function record(target, ready) {
    const server = net.createServer((near) => {
        const far = net.connect(target, '127.0.0.1');
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
    server.listen(0, '127.0.0.1', () => ready(server.address().port));
}

init();
const machine = new ServerTCP(vector, { host: '127.0.0.1', port: 0, unitID: 1 });
machine._server.on('listening', () => {
    record(machine._server.address().port, (port) => fs.writeFileSync(process.argv[2], `${port}\n`));
});
process.on('SIGTERM', () => {
    fs.writeFileSync(process.argv[3], '# hw/modbus and a machine by other hands (npm modbus-serial 8.0.25 as server): "> request",\n' +
        '# "< answer", hex. Written by run; replayed by test_peer.c.\n' + lines.join('\n') + '\n');
    process.exit(0);
});
