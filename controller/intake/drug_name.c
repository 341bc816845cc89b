/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name is cut into lower-case words, each of which is one of: a number, a unit, a word of a form table, a
 * separator between ingredients, or (all else) part of an ingredient's name. Words behind the last strength
 * that no table knows make the form unknown: better a phone call than a pill that must not leave its bottle.
 */
#include "controller/intake/drug_name.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64, WORD_BYTES = 48 };

struct words {
    int count;
    bool overflow;
    char text[WORDS_MAX][WORD_BYTES];
};

enum effect {
    EFFECT_ORAL,
    EFFECT_TABLET,
    EFFECT_CAPSULE,
    EFFECT_FILM,
    EFFECT_ER,
    EFFECT_DR,
    EFFECT_NOTHING,
    EFFECT_SOFT
};

/* Longest phrases first; each phrase consumes its words. */
static const struct phrase {
    const char *words[4];
    enum effect effect;
} phrases[] = {
    {{"extended", "release"}, EFFECT_ER},
    {{"extended-release"}, EFFECT_ER},
    {{"modified", "release"}, EFFECT_ER},
    {{"modified-release"}, EFFECT_ER},
    {{"prolonged", "release"}, EFFECT_ER},
    {{"prolonged-release"}, EFFECT_ER},
    {{"sustained", "release"}, EFFECT_ER},
    {{"sustained-release"}, EFFECT_ER},
    {{"slow", "release"}, EFFECT_ER},
    {{"controlled", "release"}, EFFECT_ER},
    {{"er"}, EFFECT_ER},
    {{"xr"}, EFFECT_ER},
    {{"sr"}, EFFECT_ER},
    {{"xl"}, EFFECT_ER},
    {{"la"}, EFFECT_ER},
    {{"cr"}, EFFECT_ER},
    {{"delayed", "release"}, EFFECT_DR},
    {{"delayed-release"}, EFFECT_DR},
    {{"enteric", "coated"}, EFFECT_DR},
    {{"enteric-coated"}, EFFECT_DR},
    {{"gastro-resistant"}, EFFECT_DR},
    {{"gastroresistant"}, EFFECT_DR},
    {{"ec"}, EFFECT_DR},
    {{"dr"}, EFFECT_DR},
    {{"film", "coated"}, EFFECT_FILM},
    {{"film-coated"}, EFFECT_FILM},
    {{"coated"}, EFFECT_FILM},
    {{"soft"}, EFFECT_SOFT},
    {{"hard"}, EFFECT_NOTHING},
    {{"dose", "form"}, EFFECT_NOTHING},
    {{"oral"}, EFFECT_ORAL},
    {{"form"}, EFFECT_NOTHING},
    {{"abuse-deterrent"}, EFFECT_ER},
    {{"tablet"}, EFFECT_TABLET},
    {{"tablets"}, EFFECT_TABLET},
    {{"tab"}, EFFECT_TABLET},
    {{"tabs"}, EFFECT_TABLET},
    {{"caplet"}, EFFECT_TABLET},
    {{"caplets"}, EFFECT_TABLET},
    {{"pill"}, EFFECT_TABLET},
    {{"capsule"}, EFFECT_CAPSULE},
    {{"capsules"}, EFFECT_CAPSULE},
    {{"softgel"}, EFFECT_SOFT},
    {{"softgels"}, EFFECT_SOFT},
};

/* One of these anywhere decides that the drug is no solid to swallow. The sets follow the RxNorm dose forms
 * and the dm+d forms; `mouth` says that the drug still acts by mouth, for the search for duplicates. */
static const struct stranger {
    const char *word;
    bool mouth;
} strangers[] = {
    {"chewable", true},
    {"chewing", true},
    {"disintegrating", true},
    {"orodispersible", true},
    {"dispersible", true},
    {"soluble", true},
    {"effervescent", true},
    {"sublingual", true},
    {"buccal", true},
    {"lozenge", true},
    {"lozenges", true},
    {"troche", true},
    {"wafer", true},
    {"suspension", true},
    {"solution", true},
    {"syrup", true},
    {"elixir", true},
    {"liquid", true},
    {"emulsion", true},
    {"granules", true},
    {"powder", true},
    {"pellet", true},
    {"pellets", true},
    {"sachet", true},
    {"sachets", true},
    {"strip", true},
    {"strips", true},
    {"film", true},
    {"films", true},
    {"gum", true},
    {"mucosal", false},
    {"injection", false},
    {"injections", false},
    {"injectable", false},
    {"injector", false},
    {"auto-injector", false},
    {"pen", false},
    {"flexpen", false},
    {"syringe", false},
    {"syringes", false},
    {"cartridge", false},
    {"infusion", false},
    {"intravenous", false},
    {"subcutaneous", false},
    {"cream", false},
    {"ointment", false},
    {"gel", false},
    {"lotion", false},
    {"spray", false},
    {"inhaler", false},
    {"inhalation", false},
    {"inhalant", false},
    {"nebuliser", false},
    {"nebulizer", false},
    {"nasal", false},
    {"ophthalmic", false},
    {"otic", false},
    {"eye", false},
    {"ear", false},
    {"drops", false},
    {"drop", false},
    {"patch", false},
    {"patches", false},
    {"plaster", false},
    {"plasters", false},
    {"transdermal", false},
    {"topical", false},
    {"vaginal", false},
    {"rectal", false},
    {"suppository", false},
    {"suppositories", false},
    {"pessary", false},
    {"pessaries", false},
    {"enema", false},
    {"implant", false},
    {"intrauterine", false},
    {"ring", false},
    {"foam", false},
    {"shampoo", false},
    {"mouthwash", false},
    {"paste", false},
    {"oil", false},
    {"gas", false},
    {"device", false},
    {"system", false},
    {"vial", false},
    {"vials", false},
    {"ampoule", false},
    {"ampoules", false},
    {"irrigation", false},
    {"dressing", false},
    {"soap", false},
    {"toothpaste", false},
    {"douche", false},
    {"insert", false},
    {"actuat", false},
    {"actuations", false},
    {"metered", false},
    {"tape", false},
    {"pad", false},
    {"sponge", false},
    {"crushed", true},
    {"sprinkle", true},
    {"orally-disintegrating", true},
    {"pump", false},
    {"urethral", false},
    {"dental", false},
    {"collar", false},
    {"inhal", false},
    {"puff", false},
    {"puffs", false},
    {"kwikpen", false},
    {"solostar", false},
    {"hfa", false},
    {"odt", true},
    {"implantable", false},
};

static const char *const packs[] = {"pack", "packs", "kit", "kits", "starter", "dosepak", "dose-pack"};

/* Words that stand behind an ingredient for its salt, ester or water and do not make another drug. */
static const char *const salts[] = {
    "hydrochloride", "hcl",       "sodium",    "potassium",  "calcium",     "magnesium",    "maleate",
    "mesylate",      "besylate",  "tartrate",  "bitartrate", "succinate",   "fumarate",     "sulfate",
    "sulphate",      "phosphate", "acetate",   "citrate",    "bromide",     "hydrobromide", "nitrate",
    "napsylate",     "tosylate",  "gluconate", "lactate",    "monohydrate", "dihydrate",    "trihydrate",
    "anhydrous",     "medoxomil", "cilexetil", "axetil",     "disoproxil",  "dipropionate", "propionate",
    "chloride",      "carbonate", "oxide",     "usp",        "bp",
};

/* What is left without its salt would be no drug's name: "calcium carbonate" stays whole. */
static const char *const elements[] = {
    "calcium", "magnesium", "potassium", "sodium",   "ferrous",
    "iron",    "zinc",      "lithium",   "aluminum", "ammonium",
};

static const struct {
    const char *from, *to;
} synonyms[] = {
    {"paracetamol", "acetaminophen"},   {"thyroxine", "levothyroxine"},
    {"salbutamol", "albuterol"},        {"triiodothyronine", "liothyronine"},
    {"frusemide", "furosemide"},        {"simvistatin", "simvastatin"},
    {"alendronic acid", "alendronate"}, {"acetylsalicylic acid", "aspirin"},
    {"cefalexin", "cephalexin"},        {"amoxycillin", "amoxicillin"},
    {"cholecalciferol", "vitamin d3"},  {"clavulanic acid", "clavulanate"},
};

static bool listed(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}

#define LISTED(word, list) listed(word, list, sizeof list / sizeof list[0])

static void words_add(struct words *words, const char *text, size_t len)
{
    if (len == 0)
        return;
    if (words->count == WORDS_MAX || len >= WORD_BYTES) {
        words->overflow = true;
        return;
    }
    char *out = words->text[words->count++];
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[len] = '\0';
}

/* A number directly followed by letters is cut in two: "500mg". */
static void words_cut(struct words *words, const char *text, size_t len)
{
    size_t digits = 0;
    if (isdigit((unsigned char)text[0])) {
        while (digits < len &&
               (isdigit((unsigned char)text[digits]) || text[digits] == '.' || text[digits] == ','))
            digits++;
        size_t rest = len - digits;
        if (rest > 0 && (measure_of(text + digits, rest) != MEASURE_UNKNOWN || text[digits] == '%' ||
                         memchr(text + digits, '/', rest) != NULL)) {
            words_add(words, text, digits);
            text += digits;
            len = rest;
        }
    }
    words_add(words, text, len);
}

/* Brackets hold brands, sets and remarks; they take no part. */
static void words_read(const char *text, struct words *words)
{
    int depth = 0;
    const char *start = NULL;
    for (const char *p = text;; p++) {
        bool open = *p == '[' || *p == '(' || *p == '{';
        bool close = *p == ']' || *p == ')' || *p == '}';
        bool apart = *p == '\0' || isspace((unsigned char)*p) || *p == ';' || open || close ||
                     (*p == ',' && !isdigit((unsigned char)p[1]));
        if (apart) {
            if (start != NULL && depth == 0)
                words_cut(words, start, (size_t)(p - start));
            start = NULL;
            depth += open;
            depth -= close && depth > 0;
        } else if (start == NULL) {
            start = p;
        }
        if (*p == '\0')
            return;
    }
}

struct walk {
    struct drug_name *drug;
    bool tablet, capsule, film, soft, er, dr, stranger, pack, unknown, per;
    bool part_named, part_strong; /* the part in work has a name, a strength */
    bool strong;                  /* some part has a strength */
    bool oral_word;               /* "Oral" stands in the form */
    bool form_early;              /* a form stands before the strength */
    char part_name[DRUG_TEXT_BYTES];
};

static void text_append(char *out, const char *text, const char *between)
{
    size_t used = strlen(out);
    (void)snprintf(out + used, DRUG_TEXT_BYTES - used, "%s%s", used > 0 ? between : "", text);
}

static void part_end(struct walk *walk)
{
    struct drug_name *drug = walk->drug;
    char plain[DRUG_TEXT_BYTES];
    if (!walk->part_named && !walk->part_strong)
        return;
    drug_ingredient_plain(walk->part_name, plain, sizeof plain);
    text_append(drug->ingredient, plain, "+");
    if (!walk->part_strong)
        drug->strengths_known = false;
    if (drug->part_count < DRUG_PARTS_MAX) {
        if (!walk->part_strong)
            drug->strengths[drug->part_count].kind = MEASURE_UNKNOWN;
        drug->part_count++;
    } else {
        drug->strengths_known = false;
        walk->unknown = true;
    }
    walk->part_named = walk->part_strong = false;
    walk->part_name[0] = '\0';
}

static void effect_apply(struct walk *walk, enum effect effect)
{
    if (!walk->part_strong)
        walk->form_early = true;
    switch (effect) {
    case EFFECT_TABLET:
        walk->tablet = true;
        break;
    case EFFECT_CAPSULE:
        walk->capsule = true;
        break;
    case EFFECT_SOFT:
        walk->soft = walk->capsule = true;
        break;
    case EFFECT_FILM:
        walk->film = true;
        break;
    case EFFECT_ER:
        walk->er = true;
        break;
    case EFFECT_DR:
        walk->dr = true;
        break;
    case EFFECT_ORAL:
        walk->oral_word = true;
        break;
    case EFFECT_NOTHING:
        break;
    }
}

/* Words that a form phrase at `at` takes up; 0 none. */
static int phrase_match(struct walk *walk, const struct words *words, int at)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        int n = 0;
        while (n < 4 && phrases[i].words[n] != NULL && at + n < words->count &&
               strcmp(phrases[i].words[n], words->text[at + n]) == 0)
            n++;
        if (n > 0 && (n == 4 || phrases[i].words[n] == NULL)) {
            effect_apply(walk, phrases[i].effect);
            return n;
        }
    }
    return 0;
}

static bool stranger_match(struct walk *walk, const char *word)
{
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        if (strcmp(strangers[i].word, word) == 0) {
            if (!walk->stranger)
                (void)snprintf(walk->drug->why, sizeof walk->drug->why, "%s", word);
            walk->stranger = true;
            walk->drug->oral = walk->drug->oral && strangers[i].mouth;
            return true;
        }
    }
    if (LISTED(word, packs)) {
        walk->pack = true;
        if (!walk->stranger)
            (void)snprintf(walk->drug->why, sizeof walk->drug->why, "%s", word);
        return true;
    }
    return false;
}

/* "12.5" "mg": the strength of the part; "24" "hr", "10" "ml", "200" "actuat": a prefix. Returns the words
 * taken. */
static int number_match(struct walk *walk, const struct words *words, int at)
{
    const char *number = words->text[at];
    const char *unit = at + 1 < words->count ? words->text[at + 1] : "";
    struct measured strength;
    const char *slash = strchr(unit, '/');
    if (strcmp(unit, "hr") == 0 || strcmp(unit, "hour") == 0) {
        walk->er = true;
        return 2;
    }
    if (slash != NULL && measure_of(unit, (size_t)(slash - unit)) != MEASURE_UNKNOWN) {
        walk->per = true; /* per volume, puff, hour: no amount a piece */
        walk->part_strong = walk->strong = true;
        walk->drug->strengths_known = false;
        if (measure_of(slash + 1, strlen(slash + 1)) == MEASURE_OTHER || isdigit((unsigned char)slash[1]))
            walk->stranger = walk->stranger || measure_of(slash + 1, strlen(slash + 1)) == MEASURE_OTHER;
        if (walk->drug->why[0] == '\0')
            (void)snprintf(walk->drug->why, sizeof walk->drug->why, "%s", unit);
        return 2;
    }
    if (!measure_read(number, strlen(number), unit, strlen(unit), &strength)) {
        walk->unknown = true;
        walk->drug->strengths_known = false;
        return 1;
    }
    if (strength.kind == MEASURE_OTHER) {
        (void)stranger_match(walk, unit);
        if (walk->drug->why[0] == '\0')
            (void)snprintf(walk->drug->why, sizeof walk->drug->why, "%s", unit);
        walk->stranger = true;
        return 2;
    }
    if (strength.kind == MEASURE_PIECE || strength.kind == MEASURE_BODY || strength.amount <= 0 ||
        walk->part_strong || walk->drug->part_count == DRUG_PARTS_MAX) {
        walk->unknown = true; /* two strengths of one part, "4 tablets" */
        walk->drug->strengths_known = false;
        return 2;
    }
    walk->drug->strengths[walk->drug->part_count] = strength;
    walk->part_strong = walk->strong = true;
    char text[2 * WORD_BYTES + 2];
    (void)snprintf(text, sizeof text, "%s %s", number, unit);
    text_append(walk->drug->strength, text, "+");
    return 2;
}

static void walk_words(struct walk *walk, const struct words *words)
{
    for (int at = 0; at < words->count;) {
        const char *word = words->text[at];
        int taken = 0;
        if (strcmp(word, "/") == 0 || strcmp(word, "+") == 0 ||
            ((strcmp(word, "and") == 0 || strcmp(word, "with") == 0) && walk->part_strong)) {
            part_end(walk);
            taken = 1;
        } else if (isdigit((unsigned char)word[0])) {
            taken = number_match(walk, words, at);
        } else if (stranger_match(walk, word)) {
            taken = 1;
        } else {
            taken = phrase_match(walk, words, at);
        }
        if (taken == 0) {
            taken = 1;
            if (strncmp(word, "nda", 3) == 0 && isdigit((unsigned char)word[3]))
                ; /* an application number in front of the name */
            else if (walk->part_strong)
                walk->unknown = true;
            else {
                text_append(walk->part_name, word, " ");
                walk->part_named = true;
            }
        }
        at += taken;
    }
    part_end(walk);
}

static void decide(struct walk *walk)
{
    struct drug_name *drug = walk->drug;
    bool form = walk->tablet || walk->capsule;
    if (walk->pack)
        drug->kind = DRUG_PACK;
    else if (walk->stranger || (walk->per && !form))
        drug->kind = DRUG_NOT_SOLID;
    else if (!form || walk->unknown || (walk->tablet && walk->capsule) || (walk->er && walk->dr))
        drug->kind = DRUG_FORM_UNKNOWN;
    else
        drug->kind = DRUG_SOLID;
    drug->form = drug->release = "";
    if (drug->kind != DRUG_SOLID)
        return;
    drug->form = walk->soft      ? "soft capsule"
                 : walk->capsule ? "capsule"
                 : walk->film    ? "film-coated tablet"
                                 : "tablet";
    drug->release = walk->er ? "ER" : walk->dr ? "DR" : "IR";
    /* Early RxNorm left "Oral" out where the release is named. */
    drug->rxnorm = !walk->form_early && (walk->oral_word || walk->er || walk->dr);
    drug->halves = walk->tablet && !walk->film && !walk->er && !walk->dr;
}

void drug_name_read(const char *name, const char *form, struct drug_name *ret)
{
    struct words words = {0};
    struct walk walk = {.drug = ret};
    *ret = (struct drug_name){.strengths_known = true, .oral = true, .form = "", .release = ""};
    while (isspace((unsigned char)*name))
        name++;
    if (*name == '{') {
        walk.pack = true; /* RxNorm writes packs as "{4 (…) } Pack" */
        (void)snprintf(ret->why, sizeof ret->why, "pack");
    }
    words_read(name, &words);
    walk_words(&walk, &words);
    if (*form != '\0') {
        /* Words of the form field that no table knows leave the form unknown, too. */
        struct words more = {0};
        words_read(form, &more);
        for (int at = 0; at < more.count;) {
            int taken = stranger_match(&walk, more.text[at]) ? 1 : phrase_match(&walk, &more, at);
            if (taken == 0)
                walk.unknown = true;
            at += taken > 0 ? taken : 1;
        }
    }
    if (words.overflow)
        walk.unknown = true;
    if (ret->part_count == 0 || !walk.strong || walk.per)
        ret->strengths_known = false;
    if (!ret->strengths_known)
        ret->strength[0] = '\0';
    decide(&walk);
}

void drug_ingredient_plain(const char *text, char *out, size_t size)
{
    struct words words = {0};
    words_read(text, &words);
    int count = words.count;
    while (count > 1 && LISTED(words.text[count - 1], salts) &&
           !(count == 2 && LISTED(words.text[0], elements)))
        count--;
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", i > 0 ? " " : "", words.text[i]);
    }
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++) {
        if (strcmp(out, synonyms[i].from) == 0)
            (void)snprintf(out, size, "%s", synonyms[i].to);
    }
}

bool drug_strength_read(const char *text, int *ret_count, struct measured ret[DRUG_PARTS_MAX])
{
    int count = 0;
    const char *p = text;
    while (*p != '\0') {
        const char *end = strchr(p, '+');
        size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
        size_t digits = 0, gap;
        while (digits < len && (isdigit((unsigned char)p[digits]) || p[digits] == '.' || p[digits] == ','))
            digits++;
        for (gap = digits; gap < len && p[gap] == ' '; gap++)
            ;
        size_t stop = len;
        while (stop > gap && p[stop - 1] == ' ')
            stop--;
        if (count == DRUG_PARTS_MAX || digits == 0 ||
            !measure_read(p, digits, p + gap, stop - gap, &ret[count]) || ret[count].amount <= 0)
            return false;
        count++;
        p += len;
        if (*p == '+')
            p++;
        while (*p == ' ')
            p++;
    }
    *ret_count = count;
    return count > 0;
}
