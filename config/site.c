/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-site/1: what one pharmacy says about itself, its patients' ordinary day and its machines.
 */
#include "config/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const word_languages[] = {"en", "de", NULL}; /* as enum sigtext_language */
static const char *const zones[] = {"local", "fixed", NULL};
static const char *const transports[] = {"tcp", "rtu", NULL};
static const char *const parities[] = {"none", "even", "odd", NULL};
/* Words of controller/parties/kind.h; a test there compares them. */
static const char *const requests[] = {
    "renewal", "change", "eligibility", "test-claim", "override", "prior-authorization", NULL};
static const char *const asks[] = {
    "renewal", "change",       "eligibility", "test-claim", "override", "prior-authorization",
    "notice",  "pre-shipment", "purchase",    "work",       NULL};
static const char *const answers[] = {"approved", "changed", "denied", "too-soon", "needs-more", NULL};

#define RANGE(least, most) .range = true, .min = (least), .max = (most)

#define PANEL_LINE(key, text)                                                                       \
    {                                                                                               \
        .path = "machines[].panel." key, .type = CONF_TEXT, .preset = "", RANGE(0, 31), .doc = text \
    }

static const struct conf_key site_keys[] = {
    {.path = "pharmacy",
     .type = CONF_MAP,
     .required = true,
     .doc = "Who packs. Printed on labels and records."},
    {.path = "pharmacy.name",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 60),
     .example = "My Pharmacy",
     .doc = "Name as it stands on the label of each pouch."},
    {.path = "pharmacy.phone",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 30),
     .example = "555 0100",
     .doc = "Number that a patient calls with a question about a pouch."},
    {.path = "pharmacy.address",
     .type = CONF_TEXT,
     .preset = "",
     RANGE(0, 120),
     .doc = "Address on one line; empty leaves it off the label."},
    {.path = "pharmacy.license",
     .type = CONF_TEXT,
     .preset = "",
     RANGE(0, 40),
     .doc = "Licence number for records; empty leaves it out."},
    {.path = "jurisdiction",
     .type = CONF_TEXT,
     .preset = "US",
     RANGE(2, 16),
     .doc =
         "Whose law holds: a country or country-part code such as US or US-MA, of which `rules.jurisdiction` "
         "has rules. Where the part has none of a kind, those of the country hold."},

    {.path = "time", .type = CONF_MAP, .doc = "What \"today\" means. Dates of plans and pouches follow it."},
    {.path = "time.zone",
     .type = CONF_ENUM,
     .preset = "local",
     .choices = zones,
     .doc = "local takes the computer's time zone; fixed takes time.offset all year."},
    {.path = "time.offset",
     .type = CONF_DURATION,
     .unit = "min",
     .preset = "0 min",
     RANGE(-720, 840),
     .doc = "Offset from UTC when time.zone is fixed, east positive."},

    {.path = "store",
     .type = CONF_FILE,
     .preset = "store/sachet.db",
     .doc = "The one database of this site. It must lie on a local disk: file locks of network disks lie."},
    {.path = "formulary",
     .type = CONF_FILE,
     .preset = "formulary.csv",
     .doc = "Product list that `sachet formulary import` reads when no file is given."},
    {.path = "rules",
     .type = CONF_MAP,
     .doc =
         "Rule files. Their hashes go into every plan and signature, so a change asks for new signatures."},
    {.path = "rules.timing",
     .type = CONF_FILE,
     .preset = "rules/timing.yaml",
     .doc = "When doses may be taken (sachet-timing/1)."},
    {.path = "rules.packing",
     .type = CONF_FILE,
     .preset = "rules/packing.yaml",
     .doc = "What may go into a pouch (sachet-packing/1)."},
    {.path = "rules.clinical",
     .type = CONF_FILE,
     .preset = "rules/clinical.yaml",
     .doc = "What is looked for in a plan before it is signed (sachet-clinical/1)."},
    {.path = "rules.jurisdiction",
     .type = CONF_FILE,
     .preset = "rules/jurisdiction.yaml",
     .doc = "What the law of the site's place asks (sachet-jurisdiction/1)."},

    {.path = "cycle", .type = CONF_MAP, .doc = "One cycle is one roll of pouches for one patient."},
    {.path = "cycle.days",
     .type = CONF_INT,
     .preset = "14",
     .unit = "days",
     RANGE(1, 91),
     .doc = "Length of a cycle. Shorter cycles meet fewer changes of orders; 91 days is a quarter."},
    {.path = "cycle.lead_days",
     .type = CONF_INT,
     .preset = "5",
     .unit = "days",
     RANGE(0, 60),
     .doc = "A roll is packed so many days before its first dose: for checking, delivery and one remake."},
    {.path = "cycle.freeze_days",
     .type = CONF_INT,
     .preset = "3",
     .unit = "days",
     RANGE(0, 60),
     .doc = "So many days before a cycle begins, and while it runs, its signed plan and its calendar change "
            "only on a pharmacist's word."},

    {.path = "refill", .type = CONF_MAP, .doc = "One date for all refills of a patient."},
    {.path = "refill.horizon_days",
     .type = CONF_INT,
     .preset = "60",
     .unit = "days",
     RANGE(1, 366),
     .doc = "How far ahead fills, renewals and overrides are listed."},
    {.path = "refill.max_carry_days",
     .type = CONF_INT,
     .preset = "10",
     .unit = "days",
     RANGE(0, 91),
     .doc = "Most days of supply that may be left over when a drug is filled ahead of its run-out."},
    {.path = "refill.min_days",
     .type = CONF_INT,
     .preset = "1",
     .unit = "days",
     RANGE(1, 91),
     .doc = "Least days of a short fill, where the product's terms say nothing."},
    {.path = "refill.renewal_lead_days",
     .type = CONF_INT,
     .preset = "7",
     .unit = "days",
     RANGE(0, 90),
     .doc = "So many days before a fill that no prescription covers a new one is asked for."},
    {.path = "refill.prior_auth_lead_days",
     .type = CONF_INT,
     .preset = "14",
     .unit = "days",
     RANGE(0, 90),
     .doc = "So many days before a fill that needs it a prior authorisation is asked for."},
    {.path = "refill.claim_lead_days",
     .type = CONF_INT,
     .preset = "7",
     .unit = "days",
     RANGE(0, 90),
     .doc = "So many days before a fill the payer is asked whether it would pay for it, and before a cycle "
            "whether the "
            "patient is covered."},
    {.path = "refill.check_lead_days",
     .type = CONF_INT,
     .preset = "9",
     .unit = "days",
     RANGE(0, 90),
     .doc = "So many days before a cycle begins the patient is asked what changed. Answers are wanted before "
            "the freeze "
            "days."},
    {.path = "refill.threshold_pct",
     .type = CONF_INT,
     .preset = "75",
     .unit = "per cent",
     RANGE(0, 100),
     .doc =
         "Payers pay again after this share of the last fill's days, where the product's terms say nothing."},
    {.path = "refill.controlled_threshold_pct",
     .type = CONF_INT,
     .preset = "90",
     .unit = "per cent",
     RANGE(0, 100),
     .doc = "The same for drugs of schedules 3 to 5, where an early refill is also a legal question."},
    {.path = "refill.count_simulated",
     .type = CONF_BOOL,
     .preset = "false",
     .doc =
         "A rehearsal: pouches that a simulated machine made count as dispensed. Never true where patients "
         "are."},

    {.path = "pouch",
     .type = CONF_MAP,
     .doc = "What fits into one pouch. More makes more pouches, never more times a day."},
    {.path = "pouch.max_pieces",
     .type = CONF_INT,
     .preset = "12",
     .unit = "pieces",
     RANGE(1, 50),
     .doc = "Most pieces in one pouch. 12 is an engineering estimate for a 60 to 90 mm pouch of mixed sizes "
            "that "
            "must still seal flat: set it to what your film and your largest pieces allow."},
    {.path = "pouch.max_entries",
     .type = CONF_INT,
     .preset = "24",
     .unit = "bays",
     RANGE(1, 24),
     .doc = "Most different bays in one pouch. The job of the machine contract has room for 24."},
    {.path = "pouch.label_lines",
     .type = CONF_INT,
     .preset = "14",
     .unit = "lines",
     RANGE(4, 60),
     .doc = "Lines of text on a label. What does not fit makes a second pouch; type is never made smaller."},
    {.path = "pouch.label_columns",
     .type = CONF_INT,
     .preset = "32",
     .unit = "characters",
     RANGE(16, 80),
     .doc = "Characters in a line of the label."},

    {.path = "intake", .type = CONF_MAP, .doc = "What happens to orders before anybody looks at them."},
    {.path = "intake.max_order_age_days",
     .type = CONF_INT,
     .preset = "366",
     .unit = "days",
     RANGE(0, 3650),
     .doc =
         "An order written longer ago waits for a pharmacist. 366: a prescription is good for a year in most "
         "places, a leap day included. 0 turns the check off."},
    {.path = "intake.language",
     .type = CONF_ENUM,
     .choices = word_languages,
     .preset = "en",
     .doc =
         "Language of dosages that are written in words alone. English reads the Latin abbreviations, too."},
    {.path = "intake.mllp", .type = CONF_MAP, .doc = "Where sachet-intake takes HL7 v2 orders (MLLP)."},
    {.path = "intake.mllp.address",
     .type = CONF_TEXT,
     .preset = "127.0.0.1",
     .doc =
         "A loopback address: MLLP has no encryption and no login. Senders on other machines come through a "
         "TLS tunnel that ends here."},
    {.path = "intake.mllp.port",
     .type = CONF_INT,
     .preset = "2575",
     RANGE(0, 65535),
     .doc = "TCP port; 2575 is the one that is registered for HL7. 0: any free one."},
    {.path = "intake.mllp.processing",
     .type = CONF_TEXT,
     .preset = "P",
     .doc = "Processing ids (MSH-11) that are taken: P production, T training, D debugging. Others are "
            "rejected, "
            "so that a sender's test never becomes an order."},

    {.path = "day",
     .type = CONF_MAP,
     .doc = "The ordinary day of a patient who said nothing else. Times of doses are found around it."},
    {.path = "day.start",
     .type = CONF_TOD,
     .preset = "04:00",
     .doc = "Where one day ends and the next begins, before anybody wakes: a dose at 00:30 is still "
            "yesterday's."},
    {.path = "day.wake", .type = CONF_TOD, .preset = "07:00", .doc = "Getting up."},
    {.path = "day.breakfast",
     .type = CONF_TOD,
     .preset = "08:00",
     .doc = "First meal. An hour after waking leaves room for what is taken 30 to 60 minutes before it."},
    {.path = "day.lunch", .type = CONF_TOD, .preset = "12:30", .doc = "Midday meal."},
    {.path = "day.dinner", .type = CONF_TOD, .preset = "18:00", .doc = "Evening meal."},
    {.path = "day.bed", .type = CONF_TOD, .preset = "22:00", .doc = "Going to bed."},
    {.path = "day.grid",
     .type = CONF_INT,
     .preset = "15",
     .unit = "minutes",
     RANGE(5, 60),
     .doc =
         "Doses are planned at multiples of this after day.start. It must divide 1440; 5 and 15 are usual."},

    {.path = "machines",
     .type = CONF_MAPS,
     .items_max = 128,
     .example = "-",
     .doc = "The packers of this site. sachetd drives all of them."},
    {.path = "machines[].name",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 24),
     .example = "packer-1",
     .doc = "Short name for commands, screens and records: letters, digits, - and _."},
    {.path = "machines[].profile",
     .type = CONF_FILE,
     .preset = "machines/sachet-packer-1.yaml",
     .doc = "Register map and abilities of this make (sachet-machine/1)."},
    {.path = "machines[].transport",
     .type = CONF_ENUM,
     .preset = "tcp",
     .choices = transports,
     .doc = "tcp: Modbus TCP at host and port. rtu: Modbus RTU at device and baud."},
    {.path = "machines[].host",
     .type = CONF_TEXT,
     .preset = "127.0.0.1",
     RANGE(1, 253),
     .doc = "Address or name of the machine, for tcp."},
    {.path = "machines[].port",
     .type = CONF_INT,
     .preset = "1502",
     RANGE(1, 65535),
     .doc = "TCP port. Real machines listen on 502; 1502 is where sachet-sim listens without root."},
    {.path = "machines[].unit",
     .type = CONF_INT,
     .preset = "1",
     RANGE(1, 247),
     .doc = "Modbus unit id. Several machines on one serial line need different ones."},
    {.path = "machines[].device",
     .type = CONF_FILE,
     .example = "/dev/ttyUSB0",
     .doc = "Serial device, for rtu. Machines with the same device share the line."},
    {.path = "machines[].baud",
     .type = CONF_INT,
     .preset = "115200",
     RANGE(1200, 921600),
     .unit = "bits a second",
     .doc = "Speed of the serial line, for rtu."},
    {.path = "machines[].parity",
     .type = CONF_ENUM,
     .preset = "even",
     .choices = parities,
     .doc = "Parity of the serial line, for rtu. Even is Modbus' own default."},

    {.path = "machines[].panel",
     .type = CONF_MAP,
     .doc = "Safety switches, buttons and stack light beside the machine, on digital lines of this computer. "
            "Lines have names, 'gpioinfo' lists them; a line that is left out is not there."},
    {.path = "machines[].panel.chip",
     .type = CONF_TEXT,
     .preset = "",
     RANGE(0, 64),
     .doc = "Label, name or path of the GPIO chip; empty: there is no panel."},
    PANEL_LINE("estop_a", "Emergency stop, first channel: high when healthy, so that a broken wire stops."),
    PANEL_LINE("estop_b", "Emergency stop, second channel."),
    PANEL_LINE("guard_a", "Guard door, first channel: high when closed."),
    PANEL_LINE("guard_b", "Guard door, second channel."),
    PANEL_LINE("start", "Start button, closes to ground: starts or resumes the batch."),
    PANEL_LINE("stop", "Stop button, closes to ground: stops the machine and its batch."),
    PANEL_LINE("reset", "Reset button, closes to ground: resets the switches above; starts nothing."),
    PANEL_LINE("pouch_out", "Sensor where pouches leave; its edges are kept as evidence of alarms."),
    PANEL_LINE("red", "Red lamp."),
    PANEL_LINE("amber", "Amber lamp."),
    PANEL_LINE("green", "Green lamp."),
    PANEL_LINE("buzzer", "Buzzer."),
    {.path = "machines[].panel.discrepancy",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "500 ms",
     RANGE(50, 5000),
     .doc = "Channels of one switch that disagree longer are a fault of the switch."},

    {.path = "users", .type = CONF_MAP, .doc = "Log-ins."},
    {.path = "users.lock_after",
     .type = CONF_INT,
     .preset = "5",
     .unit = "failures",
     RANGE(1, 20),
     .doc = "Wrong passwords in a row until a login is locked; another pharmacist unlocks it."},
    {.path = "users.password_min",
     .type = CONF_INT,
     .preset = "10",
     .unit = "characters",
     RANGE(8, 64),
     .doc = "Shortest password for new users."},

    {.path = "partners",
     .type = CONF_MAP,
     .doc = "What is written for payers, prescribers and patients, and read from them (`sachet tasks "
            "exchange`). An integration engine carries the files."},
    {.path = "partners.outbox",
     .type = CONF_FILE,
     .preset = "partners/outbox",
     .doc = "Folder in which requests appear as FHIR R4 files, each whole at once."},
    {.path = "partners.inbox",
     .type = CONF_FILE,
     .preset = "partners/inbox",
     .doc = "Folder in which answers are put, each by renaming a whole file into it."},
    {.path = "partners.base",
     .type = CONF_TEXT,
     .preset = "https://pharmacy.example/fhir",
     RANGE(8, 120),
     .doc = "Address that our resources and code systems go by in messages; nothing needs to listen there."},
    {.path = "partners.prefix",
     .type = CONF_TEXT,
     .preset = "sachet",
     RANGE(1, 24),
     .doc =
         "What the ids of our resources begin with: letters, digits and -. Sites that share an engine need "
         "different ones."},
    {.path = "partners.payer",
     .type = CONF_TEXT,
     .preset = "Payer on record",
     RANGE(1, 80),
     .doc = "Name of the payer where an engine routes by patient and needs no more."},
    {.path = "partners.asks",
     .type = CONF_ENUMS,
     .choices = asks,
     .preset =
         "[renewal, change, eligibility, test-claim, override, prior-authorization, notice, pre-shipment, "
         "purchase, work]",
     .items_max = 10,
     .doc = "What is asked by itself when the calendar and the rolls call for it. What is not listed here is "
            "asked "
            "by hand (`sachet tasks open`)."},
    {.path = "partners.import_orders",
     .type = CONF_BOOL,
     .preset = "true",
     .doc = "Prescriptions that come as answers are imported in the same round, as the next version of the "
            "order that "
            "they renew. False where the pharmacy's own system sends them, too: then they lie in the folder "
            "orders of "
            "the inbox."},
    {.path = "partners.requests",
     .type = CONF_MAPS,
     .items_max = 64,
     .doc = "Codes that the other side wants to see in a request. They are passed on as they are."},
    {.path = "partners.requests[].kind",
     .type = CONF_ENUM,
     .required = true,
     .unique = true,
     .choices = requests,
     .example = "override",
     .doc = "Our word for the request."},
    {.path = "partners.requests[].system",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 200),
     .example = "https://payer.example/codes",
     .doc = "Code system."},
    {.path = "partners.requests[].code",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 60),
     .example = "A1",
     .doc = "Code in it."},
    {.path = "partners.answers",
     .type = CONF_MAPS,
     .items_max = 1000,
     .doc = "What the codes of an answer mean here. An answer with a code that is not in this table is put "
            "aside: no code is ever guessed."},
    {.path = "partners.answers[].code",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 60),
     .example = "X1",
     .doc = "Code, exactly as sent."},
    {.path = "partners.answers[].system",
     .type = CONF_TEXT,
     .preset = "",
     RANGE(0, 200),
     .doc = "Its code system; empty fits any."},
    {.path = "partners.answers[].means",
     .type = CONF_ENUM,
     .required = true,
     .choices = answers,
     .example = "too-soon",
     .doc = "What it comes to."},

    {.path = "backup", .type = CONF_MAP, .doc = "Copies of the store."},
    {.path = "backup.folder",
     .type = CONF_FILE,
     .preset = "backup",
     .doc = "Where `sachet backup` writes checked copies. Another disk is better than this one."},
    {.path = "backup.keep",
     .type = CONF_INT,
     .preset = "14",
     .unit = "copies",
     RANGE(1, 366),
     .doc = "Older copies beyond this many are deleted after a good one was made."},
};

static bool name_is_plain(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name);
}

static void check_day(const struct conf *conf, struct conf_check *check)
{
    static const char *const order[] = {"day.wake", "day.breakfast", "day.lunch", "day.dinner", "day.bed"};
    int64_t start = conf_int(conf, "day.start");
    int64_t before = -1;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        int64_t minute = (conf_int(conf, "%s", order[i]) - start + 1440) % 1440;
        if (minute <= before)
            conf_fault(
                check, order[i],
                "`%s` is not after `%s`, counted from day.start; the order of a day is wake, breakfast, "
                "lunch, dinner, bed",
                order[i], order[i - 1]);
        before = minute;
    }
    int64_t grid = conf_int(conf, "day.grid");
    if (1440 % grid != 0)
        conf_fault(check, "day.grid",
                   "`day.grid`: %" PRId64 " does not divide 1440, allowed: 5, 6, 8, 9, 10, "
                   "12, 15, 16, 18, 20, 24, 30, 32, 36, 40, 45, 48, 60",
                   grid);
}

static bool is_rtu(const struct conf *conf, int i)
{
    return strcmp(conf_text(conf, "machines[%d].transport", i), "rtu") == 0;
}

/* Machines on one serial line hear the same bits. */
static void check_shared_line(const struct conf *conf, struct conf_check *check, int i)
{
    char path[CONF_PATH_MAX];
    for (int k = 0; k < i; k++) {
        if (!is_rtu(conf, i) || !is_rtu(conf, k) || !conf_has(conf, "machines[%d].device", i) ||
            !conf_has(conf, "machines[%d].device", k) ||
            strcmp(conf_text(conf, "machines[%d].device", i), conf_text(conf, "machines[%d].device", k)) != 0)
            continue;
        bool same_baud = conf_int(conf, "machines[%d].baud", i) == conf_int(conf, "machines[%d].baud", k);
        if (same_baud && conf_int(conf, "machines[%d].parity", i) == conf_int(conf, "machines[%d].parity", k))
            continue;
        (void)snprintf(path, sizeof path, "machines[%d].%s", i, same_baud ? "parity" : "baud");
        conf_fault(check, path, "`%s` is another one than that of `machines[%d]` on the same device", path,
                   k);
        return;
    }
}

static void check_panel(const struct conf *conf, struct conf_check *check, int i)
{
    static const char *const pairs[][2] = {{"estop_a", "estop_b"}, {"guard_a", "guard_b"}};
    char path[CONF_PATH_MAX];
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        bool first = conf_text(conf, "machines[%d].panel.%s", i, pairs[k][0])[0] != '\0';
        bool second = conf_text(conf, "machines[%d].panel.%s", i, pairs[k][1])[0] != '\0';
        (void)snprintf(path, sizeof path, "machines[%d].panel.%s", i, pairs[k][first ? 1 : 0]);
        if (first != second)
            conf_fault(check, path, "`%s` is missing: a safety switch has two channels", path);
        else if (first && conf_text(conf, "machines[%d].panel.chip", i)[0] == '\0')
            conf_fault(check, path, "`machines[%d].panel` names lines and no chip", i);
    }
}

static void check_machine(const struct conf *conf, struct conf_check *check, int i)
{
    char path[CONF_PATH_MAX];
    bool rtu = is_rtu(conf, i);
    (void)snprintf(path, sizeof path, "machines[%d].name", i);
    if (!name_is_plain(conf_text(conf, "%s", path)))
        conf_fault(check, path, "`%s`: only letters, digits, - and _ are allowed in a machine's name", path);
    (void)snprintf(path, sizeof path, "machines[%d].transport", i);
    if (rtu && !conf_has(conf, "machines[%d].device", i))
        conf_fault(check, path, "`%s` is rtu, so a `device` is required, for example /dev/ttyUSB0", path);
    check_shared_line(conf, check, i);
    check_panel(conf, check, i);
    for (int k = 0; k < i; k++) {
        bool other_rtu = is_rtu(conf, k);
        if (rtu != other_rtu ||
            conf_int(conf, "machines[%d].unit", i) != conf_int(conf, "machines[%d].unit", k))
            continue;
        bool same = rtu ? strcmp(conf_text(conf, "machines[%d].device", i),
                                 conf_text(conf, "machines[%d].device", k)) == 0
                        : conf_int(conf, "machines[%d].port", i) == conf_int(conf, "machines[%d].port", k) &&
                              strcmp(conf_text(conf, "machines[%d].host", i),
                                     conf_text(conf, "machines[%d].host", k)) == 0;
        if (same)
            conf_fault(check, path,
                       "`machines[%d]` has the address of `machines[%d]`, two names for one machine would "
                       "fight over it, change host, port, device or unit",
                       i, k);
    }
}

/* Ids of FHIR resources are made of them. */
static void check_partners(const struct conf *conf, struct conf_check *check)
{
    const char *prefix = conf_text(conf, "partners.prefix");
    const char *base = conf_text(conf, "partners.base");
    if (strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(prefix))
        conf_fault(check, "partners.prefix", "`partners.prefix`: only letters, digits and - are allowed");
    if ((strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0) || strpbrk(base, " \"<>") ||
        base[strlen(base) - 1] == '/')
        conf_fault(check, "partners.base",
                   "`partners.base`: an http or https address without a / at its end is wanted");
}

static void check_site(const struct conf *conf, struct conf_check *check)
{
    check_day(conf, check);
    check_partners(conf, check);
    for (int i = 0; i < conf_count(conf, "machines"); i++)
        check_machine(conf, check, i);
}

const struct conf_schema conf_site = {
    .format = "sachet-site/1",
    .title = "The site: what this pharmacy says about itself, its patients' ordinary day and its machines.",
    .keys = site_keys,
    .count = sizeof site_keys / sizeof site_keys[0],
    .check = check_site,
};
