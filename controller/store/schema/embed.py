#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py OUT FILE...: the schema steps NNN_name.sql as one C table (arrays, since string literals have a limit)."""
import os
import sys

out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
arrays, rows = [], []
for number, path in enumerate(files, 1):
    name = os.path.basename(path)
    if not name.startswith('%03d_' % number):
        sys.exit('%s: schema steps are numbered 001, 002, ... without a gap' % path)
    with open(path, 'rb') as file:
        data = file.read() + b'\0'
    lines = [','.join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
    arrays.append('static const char schema_%03d[] = {\n%s};\n' % (number, ',\n'.join(lines)))
    rows.append('    {.version = %d, .name = "%s", .sql = schema_%03d},\n' % (number, name, number))
with open(out, 'w') as file:
    file.write('/* Made by embed.py. */\n%s\nconst struct migrate_step migrate_steps[] = {\n%s};\n' %
               (''.join(arrays), ''.join(rows)))
    file.write('const int migrate_step_count = %d;\n' % len(rows))
