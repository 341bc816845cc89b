/* SPDX-License-Identifier: Apache-2.0 */
/* sig: shows how the words of a prescription are read. A pure filter, without site, store or clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/sig/sigtext.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/sig_table.h"
#include "tools/sachet/verbs.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

/* Foreign text on a terminal: control characters would be acted on. */
static void show_text(struct cli *cli, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        (void)fputc(c < 0x20 || c == 0x7f ? '?' : c, cli->out); /* the frame checks out at the end */
    }
}

static void show(struct cli *cli, const struct sigtext *sig, const char *text, size_t len)
{
    struct buf out;
    buf_init(&out);
    if (sig->refusal == SIGTEXT_NONE) {
        sigtext_describe(sig, &out);
        (void)fprintf(cli->out, "read:     %s\n", buf_string(&out));
        buf_reset(&out);
        sigtext_write_dosage(sig, text, len, &out);
        (void)fprintf(cli->out, "dosage:   %s\n", buf_string(&out));
    } else {
        (void)fprintf(cli->out, "refused:  %s\n", sig->reason);
        (void)fputs("text:     ", cli->out);
        show_text(cli, text, len < SIGTEXT_BYTES_MAX ? len : SIGTEXT_BYTES_MAX);
        (void)fputc('\n', cli->out);
        if (sig->left_over[0] != '\0')
            (void)fprintf(cli->out, "left over: %s\n", sig->left_over);
    }
    for (int i = 0; i < sig->proposal_count; i++) {
        (void)fprintf(cli->out, "perhaps:  %s ->", sig->proposals[i].word);
        for (int k = 0; k < sig->proposals[i].count; k++)
            (void)fprintf(cli->out, "%s %s", k > 0 ? "," : "", sig->proposals[i].near[k]);
        (void)fputs(" (write it again; nothing was corrected)\n", cli->out);
    }
    buf_finish(&out);
}

struct reading_job {
    struct cli *cli;
    const struct sigtext_table *table;
    enum sigtext_language language;
    bool refused;
};

static int read_one(struct reading_job *job, const char *text, size_t len, struct error *err)
{
    struct sigtext *sig = malloc(sizeof *sig);
    if (sig == NULL)
        return error_set(err, E_MEMORY, "no memory to read a text");
    sigtext_read(job->table, job->language, text, len, sig);
    job->refused = job->refused || sig->refusal != SIGTEXT_NONE;
    if (job->cli->json) {
        struct buf line;
        buf_init(&line);
        sigtext_write(sig, text, len, &line);
        buf_char(&line, '\n');
        (void)fputs(buf_string(&line), job->cli->out); /* the frame checks out at the end */
        buf_finish(&line);
    } else {
        show(job->cli, sig, text, len);
    }
    free(sig);
    return 0;
}

static int read_lines(struct reading_job *job, struct error *err)
{
    char *line = NULL;
    size_t size = 0;
    int code = 0;
    for (ssize_t n; code == 0 && (n = getline(&line, &size, stdin)) >= 0;) {
        size_t len = (size_t)n;
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        if (len > LINE_BYTES_MAX)
            code =
                error_set(err, E_LIMIT, "-: a line of %zu bytes, at most %d are taken", len, LINE_BYTES_MAX);
        else
            code = read_one(job, line, len, err);
    }
    if (code == 0 && ferror(stdin))
        code = error_set_errno(err, E_FILE, errno, "-: cannot be read");
    free(line);
    return code;
}

static int run_sig(struct cli *cli, struct error *err)
{
    struct sigtext_table *table = NULL;
    struct reading_job job = {.cli = cli};
    int code = sig_table_open(cli, &table, &job.language, err);
    job.table = table;
    for (int i = 0; code == 0 && i < cli->argc; i++) {
        if (strcmp(cli->argv[i], "-") == 0)
            code = read_lines(&job, err);
        else
            code = read_one(&job, cli->argv[i], strlen(cli->argv[i]), err);
    }
    sigtext_table_destroy(table);
    return code != 0 ? code : job.refused ? CLI_FOUND : 0;
}

static const struct cli_option_row options[] = {
    {"language", "en|de", "language of the text; en, with the Latin abbreviations, when not given"},
    {"table", "FILE", "another table of words (sachet-sig/1) than the one that comes with the program"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "sig",
        .args = "TEXT…|-",
        .args_min = 1,
        .args_max = -1,
        .summary = "Show how the words of a prescription are read",
        .details = "Reads a whole dosage text (\"1 tab po bid pc\") or refuses it, and shows what was not\n"
                   "understood; near words are proposed, never taken. - reads one text a line from standard\n"
                   "input. With --json one object a text: text, status (read or refused), dosage (FHIR R4\n"
                   "Dosage), left_over, reason, code, proposals. Status 1 when a text was refused.",
        .options = options,
        .run = run_sig,
        .findings = true,
    },
};
const struct cli_group verbs_sig = {
    .title = "Prescription texts", .rows = rows, .count = sizeof rows / sizeof rows[0]};
