/* SPDX-License-Identifier: Apache-2.0 */
/* Help, man page and completion, all from the verb tables. */
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "tools/sachet/cli.h"
#include "tools/version.h"

enum { NAME_COLUMN = 30, PAGE_COLUMNS = 100 };

static const char *const intro =
    "sachet turns prescriptions into the fewest daily dose slots, gets a pharmacist's "
    "signature\non exactly that, and packs it into pouches.\n";
static const char *const exit_text =
    "0 done; 1 refused, or a person must look; 2 used wrongly; 3 file, store or machine";

void help_all(FILE *out)
{
    fprintf(out, "Usage: sachet VERB [NOUN] [OPTION…]\n\n%s", intro);
    for (size_t g = 0; g < cli_group_count; g++) {
        fprintf(out, "\n%s\n", cli_groups[g]->title);
        for (size_t i = 0; i < cli_groups[g]->count; i++)
            fprintf(out, "  %-*s%s\n", NAME_COLUMN - 9, cli_groups[g]->rows[i].name,
                    cli_groups[g]->rows[i].summary);
    }
    fprintf(out, "\n'sachet VERB --help' explains one. Exit status: %s.\n", exit_text);
}

/* Text with its own line ends, broken at spaces where a line is wider than a page; lines that follow a break
 * begin at column `indent`. Column counts are bytes: our help is ASCII but for an ellipsis. */
static void print_wrapped(const char *text, int indent, FILE *out)
{
    int room = PAGE_COLUMNS - indent;
    while (*text) {
        int len = (int)strcspn(text, "\n");
        int cut = len;
        if (len > room) {
            for (cut = room; cut > 0 && text[cut] != ' ';)
                cut--;
            if (cut == 0)
                cut = len; /* one long word stays whole */
        }
        fprintf(out, "%.*s\n", cut, text);
        text += cut + (text[cut] != '\0');
        if (*text)
            fprintf(out, "%*s", indent, "");
    }
}

static void print_options(const struct cli_option_row *rows, FILE *out)
{
    for (; rows && rows->name; rows++) {
        char name[64];
        (void)snprintf(name, sizeof name, "--%s%s%s", rows->name, rows->arg ? " " : "",
                       rows->arg ? rows->arg : "");
        fprintf(out, "  %-*s", NAME_COLUMN - 2, name);
        print_wrapped(rows->doc, NAME_COLUMN, out);
    }
}

void help_verb(const struct cli_verb *verb, FILE *out)
{
    fprintf(out, "Usage: sachet %s%s%s [OPTION…]\n\n%s.\n", verb->name, verb->args[0] ? " " : "", verb->args,
            verb->summary);
    if (verb->details) {
        fputc('\n', out);
        print_wrapped(verb->details, 0, out);
    }
    fputs("\nOptions\n", out);
    print_options(verb->options, out);
    print_options(cli_common_options, out);
}

static json_t *options_json(const struct cli_verb *verb)
{
    const struct cli_option_row *const tables[] = {verb->options, cli_common_options};
    json_t *options = json_array();
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct cli_option_row *row = tables[t]; row && row->name; row++)
            (void)json_array_append_new(
                options, json_pack("{s:s, s:s?, s:s}", "name", row->name, "arg", row->arg, "doc", row->doc));
    }
    return options;
}

void help_json(const struct cli_verb *verb, FILE *out)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s?, s:o}", "verb", verb->name, "args", verb->args, "summary",
                  verb->summary, "details", verb->details, "options", options_json(verb));
    if (object)
        (void)json_dumpf(object, out, 0); /* the frame looks at ferror(out) */
    fputc('\n', out);
    json_decref(object);
}

/* Text for roff: a backslash, and a dot or quote at a line's start, would be read as commands. */
static void man_text(const char *text, FILE *out)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            fputs("\\&", out);
        if (*p == '\\')
            fputs("\\e", out);
        else if (*p == '-')
            fputs("\\-", out);
        else
            fputc(*p, out);
        line_start = *p == '\n';
    }
}

static void man_options(const struct cli_option_row *rows, FILE *out)
{
    for (; rows && rows->name; rows++) {
        fputs(".TP\n.B \\-\\-", out);
        man_text(rows->name, out);
        if (rows->arg)
            fprintf(out, " \\fI%s\\fR", rows->arg);
        fputc('\n', out);
        man_text(rows->doc, out);
        fputc('\n', out);
    }
}

void help_man(FILE *out)
{
    fprintf(
        out,
        ".TH SACHET 1 \"\" \"sachet %s\" \"User commands\"\n.SH NAME\nsachet \\- pharmacy dispensing "
        "controller\n.SH SYNOPSIS\n.B sachet\n.I VERB\n.RI [ NOUN ]\n.RI [ OPTION ...]\n.SH DESCRIPTION\n",
        SACHET_VERSION);
    man_text(intro, out);
    for (size_t g = 0; g < cli_group_count; g++) {
        fputs(".SH ", out);
        for (const char *p = cli_groups[g]->title; *p; p++)
            fputc(toupper((unsigned char)*p), out);
        fputc('\n', out);
        for (size_t i = 0; i < cli_groups[g]->count; i++) {
            const struct cli_verb *verb = &cli_groups[g]->rows[i];
            fputs(".SS ", out);
            man_text(verb->name, out);
            fputc(' ', out);
            man_text(verb->args, out);
            fputc('\n', out);
            man_text(verb->summary, out);
            fputs(".\n", out);
            if (verb->details) {
                fputs(".PP\n", out);
                man_text(verb->details, out);
                fputc('\n', out);
            }
            man_options(verb->options, out);
        }
    }
    fputs(".SH COMMON OPTIONS\n", out);
    man_options(cli_common_options, out);
    fputs(".SH EXIT STATUS\n", out);
    man_text(exit_text, out);
    fputs(".\n", out);
}

/* The second words of all verbs that begin with the same first one, or their options. */
void help_completion_bash(FILE *out)
{
    fputs("# bash completion for sachet, made by 'sachet completion bash'\n_sachet() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n",
          out);
    for (size_t g = 0; g < cli_group_count; g++) {
        for (size_t i = 0; i < cli_groups[g]->count; i++) {
            const struct cli_verb *verb = &cli_groups[g]->rows[i];
            fprintf(out, "    \"%s\"%s) words='", verb->name, strchr(verb->name, ' ') ? "" : "\\ *");
            for (const struct cli_option_row *row = verb->options; row && row->name; row++)
                fprintf(out, "--%s ", row->name);
            fputs("' ;;\n", out);
        }
    }
    fputs("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='", out);
    for (size_t g = 0; g < cli_group_count; g++) {
        for (size_t i = 0; i < cli_groups[g]->count; i++)
            fprintf(out, "%.*s ", (int)strcspn(cli_groups[g]->rows[i].name, " "),
                    cli_groups[g]->rows[i].name);
    }
    fputs("'\n    elif [ \"$COMP_CWORD\" -eq 2 ]; then\n        case \"${COMP_WORDS[1]}\" in\n", out);
    for (size_t g = 0; g < cli_group_count; g++) {
        for (size_t i = 0; i < cli_groups[g]->count; i++) {
            const char *space = strchr(cli_groups[g]->rows[i].name, ' ');
            if (space)
                fprintf(out, "        %.*s) words+=' %s' ;;&\n", (int)(space - cli_groups[g]->rows[i].name),
                        cli_groups[g]->rows[i].name, space + 1);
        }
    }
    fputs("        esac\n    fi\n    [[ $cur == -* ]] && words+='", out);
    for (const struct cli_option_row *row = cli_common_options; row->name; row++)
        fprintf(out, " --%s", row->name);
    fputs("'\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
          "complete -F _sachet sachet\n",
          out);
}
