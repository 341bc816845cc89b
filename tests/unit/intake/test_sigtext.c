/* SPDX-License-Identifier: Apache-2.0 */
/* What texts are read as, feature by feature, in words and as FHIR R4 Dosage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/intake/sigtext_support.h"

static const struct sig_example english[] = {
    {"1 tab on Monday, Wednesday and Friday", "1 tablet, 3 times a week on Monday, Wednesday, Friday"},
    {"two 5ml spoonfuls three times a day", "2 5 mL spoonful, 3 times a day"},
    {"1 tablet - 3 times a day - Oral route - One tablet three times daily", "1 tablet, 3 times a day; Oral"},
    {"take one 3 times a day", "1 (unit not stated), 3 times a day"},
    {"take one three times a day", "1 (unit not stated), 3 times a day"},
    {"1/2 tab daily", "0.5 tablet, once a day"},
    {"1 1/2 tablets daily", "1.5 tablet, once a day"},
    {"1 and 1/2 tablets bid", "1.5 tablet, twice a day"},
    {"½ tablet bid", "0.5 tablet, twice a day"},
    {"1½ tablets bid", "1.5 tablet, twice a day"},
    {"1.5 tablets bid", "1.5 tablet, twice a day"},
    {"1,000 mg bid", "1000 mg, twice a day"},
    {"take a tablet daily", "1 tablet, once a day"},
    {"1 (one) tablet by mouth every morning", "1 tablet, once a day, in the morning; Oral"},
    {"one (1) tablet twice daily", "1 tablet, twice a day"},
    {"2 (two) times a day", "no amount stated, twice a day"},
    {"take 1 tablet (20 mg total) by mouth 2 (two) times daily", "1 tablet, twice a day; Oral; 20 mg total"},
    {"take 2 tablets (40 mg total) by mouth daily", "2 tablet, once a day; Oral; 40 mg total"},
    {"take two 5 mg tablets daily", "2 tablet, once a day; two 5 mg tablets"},
    {"1 tab qam and 2 tabs qpm",
     "1 tablet, once a day, in the morning; and 2 tablet, once a day, in the evening"},
    {"1 qam 2 qpm",
     "1 (unit not stated), once a day, in the morning; and 2 (unit not stated), once a day, in the evening"},
    {"1 tab am and 2 tabs pm",
     "1 tablet, once a day, in the morning; and 2 tablet, once a day, in the evening"},
    {"take 1 at 8am and 2 pm", "1 (unit not stated), twice a day, at 08:00 and 14:00"},
    {"take 1 tablet at 8am and 2 pm", "1 tablet, twice a day, at 08:00 and 14:00"},
    {"take 1 tablet at 08:00, 14:00 and 20:00", "1 tablet, 3 times a day, at 08:00 and 14:00 and 20:00"},
    {"1 tab 8am", "1 tablet, once a day, at 08:00"},
    {"take 1 tablet twice a day at 8am and 8pm", "1 tablet, twice a day, at 08:00 and 20:00"},
    {"take 1 tablet every day at 8am and 8pm", "1 tablet, twice a day, at 08:00 and 20:00"},
    {"1 tab with meals and at bedtime", "1 tablet, at bedtime and with a meal"},
    {"1 tab ac and hs", "1 tablet, at bedtime and before a meal"},
    {"1 tab before breakfast and at bedtime", "1 tablet, twice a day, before breakfast and at bedtime"},
    {"1 tab before each meal", "1 tablet, before a meal"},
    {"1 tab daily 30 minutes before breakfast", "1 tablet, once a day, 30 min before breakfast"},
    {"1 tab 30 minutes before breakfast", "1 tablet, once a day, 30 min before breakfast"},
    {"1 tab 1 hour before bedtime", "1 tablet, once a day, 60 min before bedtime"},
    {"1 tab in the morning with food", "1 tablet, once a day, in the morning; with food"},
    {"1 tab every morning with breakfast", "1 tablet, once a day, with breakfast"},
    {"1 tab at bedtime with food", "1 tablet, once a day, at bedtime; with food"},
    {"1 tab q8h with food", "1 tablet, once every 8 hours; with food"},
    {"1 tab weekly on Monday", "1 tablet, once a week on Monday"},
    {"1 tab once a week on Mondays", "1 tablet, once a week on Monday"},
    {"1 tab every Monday", "1 tablet, once a week on Monday"},
    {"1 tab every Monday and Thursday", "1 tablet, twice a week on Monday, Thursday"},
    {"1 tab on Mondays, Wednesdays and Fridays", "1 tablet, 3 times a week on Monday, Wednesday, Friday"},
    {"1 tab daily on Mondays", "1 tablet, once a day on Monday"},
    {"1 tab on Mondays and 2 tabs on Tuesdays",
     "1 tablet, once a week on Monday; and 2 tablet, once a week on Tuesday"},
    {"1 tab twice weekly on Monday and Thursday", "1 tablet, twice a week on Monday, Thursday"},
    {"1 tab every Monday at 8am", "1 tablet, once a week on Monday, at 08:00"},
    {"1 tab every other day", "1 tablet, once every 2 days"},
    {"1 tab q.o.d.", "1 tablet, once every 2 days"},
    {"1 tab eod", "1 tablet, once every 2 days"},
    {"1 tab q48h", "1 tablet, once every 48 hours"},
    {"1 tab q 36 h", "1 tablet, once every 36 hours"},
    {"1 tab q2d", "1 tablet, once every 2 days"},
    {"1 tab every 2 weeks", "1 tablet, once every 2 weeks"},
    {"1 tab every 3 months", "1 tablet, once every 3 months"},
    {"1 tab monthly", "1 tablet, once a month"},
    {"1 tab once", "1 tablet, once only"},
    {"1 tab stat", "1 tablet, once only"},
    {"1 tab b.i.d.", "1 tablet, twice a day"},
    {"1 tab p.o. t.i.d. p.c.", "1 tablet, 3 times a day, after a meal; Oral"},
    {"1 tab. p.o. b.i.d. p.r.n.", "1 tablet, twice a day, only as needed; Oral"},
    {"TAKE 1 TABLET BY MOUTH TWICE DAILY", "1 tablet, twice a day; Oral"},
    {"1 tab po q4-6h prn pain, max 8 tabs/24h",
     "1 tablet, once every 4 to 6 hours, only as needed for pain, at most 8 tablet a day; Oral"},
    {"1 tab po q4h prn max 8 in 24 hours",
     "1 tablet, once every 4 hours, only as needed, at most 8 a day; Oral"},
    {"1-2 tabs q6h prn pain not to exceed 8 tablets per day",
     "1 to 2 tablet, once every 6 hours, only as needed for pain, at most 8 tablet a day"},
    {"1 tab bid x 10 days then 1 tab daily x 5 days",
     "1 tablet, twice a day, for 10 days; then 1 tablet, once a day, for 5 days"},
    {"2 tabs daily for 3 days, then 1 tab daily thereafter",
     "2 tablet, once a day, for 3 days; then 1 tablet, once a day"},
    {"1 tab daily for 7 days then stop", "1 tablet, once a day, for 7 days"},
    {"1 drop in od bid", "1 drop, twice a day; Ophthalmic, right eye"},
    {"2 gtt ou bid", "2 drop, twice a day; Ophthalmic, both eyes"},
    {"2 gtt as bid", "2 drop, twice a day; Otic, left ear"},
    {"2 gtt ad bid", "2 drop, twice a day; Otic, right ear"},
    {"1 po od", "1 (unit not stated), once a day; Oral"},
    {"1 od po", "1 (unit not stated), once a day; Oral"},
    {"1 hs", "1 (unit not stated), once a day, at bedtime"},
    {"1 tab sl prn chest pain", "1 tablet, only as needed for chest pain; Sublingual"},
    {"1 tab po daily with plenty of water do not crush",
     "1 tablet, once a day; Oral; with plenty of water; do not crush"},
    {"5 daily", "5 (unit not stated), once a day"},
    {"take 20 tablets daily", "20 tablet, once a day"},
    {"0.125 mg daily", "0.125 mg, once a day"},
    {"3/4 tablet daily", "0.75 tablet, once a day"},
    {"one half tablet daily", "0.5 tablet, once a day"},
    {"one-half tablet daily", "0.5 tablet, once a day"},
    {"half tablet bid", "0.5 tablet, twice a day"},
    {"1 to 2 tabs daily", "1 to 2 tablet, once a day"},
    {"1 or 2 tabs at bedtime prn sleep", "1 to 2 tablet, once a day, at bedtime, only as needed for sleep"},
    {"1x daily", "no amount stated, once a day"},
    {"2x daily", "no amount stated, twice a day"},
    {"1 tablet 2x daily", "1 tablet, twice a day"},
    {"3 a day", "3 (unit not stated), once a day"},
    {"1 tab in the morning, 1 tab at noon and 2 tabs at night",
     "1 tablet, once a day, in the morning; and 1 tablet, once a day, at noon; and 2 tablet, once a day, at "
     "night"},
    {"1 tab morning noon and night", "1 tablet, 3 times a day, in the morning and at noon and at night"},
    {"1 tab in the morning and evening", "1 tablet, twice a day, in the morning and in the evening"},
    {"1 tab morning and evening", "1 tablet, twice a day, in the morning and in the evening"},
    {"1 in the morning and evening", "1 (unit not stated), twice a day, in the morning and in the evening"},
    {"apply 1 patch every 72 hours", "1 patch, once every 72 hours"},
    {"apply 1 patch every 3 days", "1 patch, once every 3 days"},
    {"1 supp pr qhs prn constipation",
     "1 suppository, once a day, at bedtime, only as needed for constipation; Rectal"},
    {"use 1 spray in each nostril daily", "1 spray, once a day; Nasal, each nostril"},
    {"2 puffs inh q4h prn wheezing", "2 puff, once every 4 hours, only as needed for wheezing; Inhalation"},
    {"10 units sc qhs", "10 unit, once a day, at bedtime; Subcutaneous"},
    {"1 tsp po q6h prn cough", "1 teaspoon, once every 6 hours, only as needed for cough; Oral"},
    {"1 tab po q4h while awake", "1 tablet, once every 4 hours; Oral; while awake"},
    {"1 tab daily starting January 16, 2015", "1 tablet, once a day, from 2015-01-16"},
    {"Take 4 tablets daily for 7 days starting January 16, 2015",
     "4 tablet, once a day, from 2015-01-16, for 7 days"},
    {"1 tab daily until 2026-12-24", "1 tablet, once a day, until 2026-12-24"},
    {"take 1 tablet by mouth daily as needed for pain for 5 days",
     "1 tablet, once a day, only as needed for pain, for 5 days; Oral"},
    {"1 in am 1 in pm",
     "1 (unit not stated), once a day, in the morning; and 1 (unit not stated), once a day, in the evening"},
    {"1 tab in am and pm", "1 tablet, twice a day, in the morning and in the evening"},
    {"2 tabs in am, 1 tab in pm",
     "2 tablet, once a day, in the morning; and 1 tablet, once a day, in the evening"},
    {"2.5 mg on Mondays and 5 mg on Tuesdays",
     "2.5 mg, once a week on Monday; and 5 mg, once a week on Tuesday"},
    {"1 tab nightly", "1 tablet, once a day, at night"},
    {"1 tab at night and in the morning", "1 tablet, twice a day, at night and in the morning"},
    {"1 tab daily (30 days)", "1 tablet, once a day, for 30 days"},
    {"1 tab (as needed) daily", "1 tablet, once a day, only as needed"},
    {"Take 1 tablet(s) by mouth daily.", "1 tablet, once a day; Oral"},
    {"Take one tablet by mouth once daily;", "1 tablet, once a day; Oral"},
    {"1 tab bid pc x 7d", "1 tablet, twice a day, after a meal, for 7 days"},
    {"2 a week", "2 (unit not stated), once a week"},
    {"1 tab twice a week at bedtime", "1 tablet, twice a week, at bedtime"},
    {"inhale 2 puffs by mouth twice daily", "2 puff, twice a day; Oral"},
    {"inhale 1 capsule daily", "1 capsule, once a day"},
    {"inhale 1 cap by mouth daily", "1 capsule, once a day; Oral"},
    {"2 puffs by mouth bid", "2 puff, twice a day; Oral"},
    {"take one twice daily", "1 (unit not stated), twice a day"},
    {"1 tab once a week on Friday at 8am", "1 tablet, once a week on Friday, at 08:00"},
    {"1 tab every morning and evening", "1 tablet, twice a day, in the morning and in the evening"},
    {"1 tab every morning and at bedtime", "1 tablet, twice a day, in the morning and at bedtime"},
    {"1 tab every morning and every evening", "1 tablet, twice a day, in the morning and in the evening"},
    {"take 1 tablet at 8:30 pm", "1 tablet, once a day, at 20:30"},
    {"take 1 tablet at 20:30", "1 tablet, once a day, at 20:30"},
    {"1 tab at 12 noon", "1 tablet, once a day, at noon"},
    {"1 tab daily at noon", "1 tablet, once a day, at noon"},
    {"1 tablet twice a day for 2-3 days", "1 tablet, twice a day, for 2 to 3 days"},
    {"apply thin layer to face bid", "no amount stated, twice a day; Topical, face; thin layer"},
    {"apply nasally prn", "no amount stated, only as needed; Nasal"},
    {"prn", "no amount stated, only as needed"},
    {"bid", "no amount stated, twice a day"},
    {"take 1 tablet by mouth daily at the same time each day",
     "1 tablet, once a day; Oral; at the same time each day"},
    {"1 tab q am & 2 tabs q pm",
     "1 tablet, once a day, in the morning; and 2 tablet, once a day, in the evening"},
    {"take with food 1 tab bid", "1 tablet, twice a day; take with food"},
    {"1 tab bid take with food", "1 tablet, twice a day; take with food"},
    {"1 tab po bid with or after food", "1 tablet, twice a day; Oral; with or after food"},
    {"1 tab po daily x 90 days, for high blood pressure.",
     "1 tablet, once a day, for 90 days; Oral; for high blood pressure"},
    {"1 tab by mouth every 4 to 6 hours as needed for moderate to severe pain. Do not exceed 6 tablets per "
     "day.",
     "1 tablet, once every 4 to 6 hours, only as needed for moderate to severe pain, at most 6 tablet a day; "
     "Oral"},
    {"2 tablets in the morning, 1 tablet at noon, 1 tablet in the evening",
     "2 tablet, once a day, in the morning; and 1 tablet, once a day, at noon; and 1 tablet, once a day, in "
     "the evening"},
    {"1 tablet 3 times a week", "1 tablet, 3 times a week"},
    {"1 tablet three times per week on Mondays, Wednesdays and Fridays",
     "1 tablet, 3 times a week on Monday, Wednesday, Friday"},
    {"2 tabs po bid on Mondays", "2 tablet, twice a day on Monday; Oral"},
    {"20 mg po qd", "20 mg, once a day; Oral"},
    {"20mg daily", "20 mg, once a day"},
    {"take 1 tablet by mouth daily with breakfast", "1 tablet, once a day, with breakfast; Oral"},
    {"Take ONE three times a day", "1 (unit not stated), 3 times a day"},
    {"ONE to be taken THREE times a day", "1 (unit not stated), 3 times a day"},
    {"Take 1 or 2 tablets up to 4 times a day", "1 to 2 tablet, up to 4 times a day"},
    {"one every morning", "1 (unit not stated), once a day, in the morning"},
    {"1 om", "1 (unit not stated), once a day, in the morning"},
    {"1 tab po once daily in the morning", "1 tablet, once a day, in the morning; Oral"},
    {"apply to affected area twice daily for 14 days",
     "no amount stated, twice a day, for 14 days; Topical, affected area"},
    {"take 1 capsule by mouth 2 times daily with meals for 10 days",
     "1 capsule, twice a day, with a meal, for 10 days; Oral"},
    {"chew 1 tablet by mouth daily", "1 tablet, once a day; Oral"},
    {"take 1 tablet by mouth every 8 hours as needed for nausea or vomiting",
     "1 tablet, once every 8 hours, only as needed for nausea or vomiting; Oral"},
    {"2 sprays in each nostril once daily", "2 spray, once a day; Nasal, each nostril"},
    {"1 tab twice a day as needed for coughing, wheezing or shortness of breath for asthma",
     "1 tablet, twice a day, only as needed for coughing, wheezing or shortness of breath; for asthma"},
    {"5 ml od", "5 mL, once a day"},
    {"2 puffs od", "2 puff, once a day"},
    {"1 drop to both eyes twice daily", "1 drop, twice a day; Ophthalmic, both eyes"},
    {"instil 1 drop into the left eye at night", "1 drop, once a day, at night; Ophthalmic, left eye"},
    {"insert 1 pessary vaginally at night for 3 nights",
     "1 pessary, once a day, at night, for 3 days; Vaginal"},
    {"insert 1 pessary vaginally at night", "1 pessary, once a day, at night; Vaginal"},
    {"1 tab q 8 hrs", "1 tablet, once every 8 hours"},
    {"1 tab every 8 hours", "1 tablet, once every 8 hours"},
    {"1 tab three times daily", "1 tablet, 3 times a day"},
    {"1 tab once a week", "1 tablet, once a week"},
    {"1 tab on alternate days", "1 tablet, once every 2 days"},
    {"1 tab mane", "1 tablet, once a day, in the morning"},
    {"2 tabs nocte", "2 tablet, once a day, at night"},
    {"1 cap tds", "1 capsule, 3 times a day"},
    {"2 caps qds", "2 capsule, 4 times a day"},
    {"1 tab qpm", "1 tablet, once a day, in the evening"},
    {"1 tab q72h", "1 tablet, once every 72 hours"},
    {"1 tab fortnightly", "1 tablet, once every 2 weeks"},
    {"1 tab po daily for a week", "1 tablet, once a day, for 1 week; Oral"},
    {"1 tab po daily for one month", "1 tablet, once a day, for 1 month; Oral"},
    {"1 tab daily for 90 days only", "1 tablet, once a day, for 90 days"},
    {"1 tab bid for no more than 5 days", "1 tablet, twice a day, for at most 5 days"},
    {"take 1 tablet by mouth daily for blood pressure", "1 tablet, once a day; Oral; for blood pressure"},
    {"take 1 tablet 3 times a day, swallow whole, do not crush",
     "1 tablet, 3 times a day; swallow whole; do not crush"},
    {"take 1 tablet daily until finished", "1 tablet, once a day; until finished"},
    {"1 tablet to be taken daily with a glass of water", "1 tablet, once a day; with a glass of water"},
    {"1/2 - 1 tab at bedtime", "0.5 to 1 tablet, once a day, at bedtime"},
    {"1/2 to 1 tab at bedtime", "0.5 to 1 tablet, once a day, at bedtime"},
    {"one to two tablets every 4-6 hours as needed for rib pain",
     "1 to 2 tablet, once every 4 to 6 hours, only as needed for rib pain"},
    {"take 1 tablet before breakfast and before dinner",
     "1 tablet, twice a day, before breakfast and before dinner"},
    {"1/2 or 1 tab po qd prn, max 3x/wk",
     "0.5 to 1 tablet, once a day, only as needed, at most 3 doses a week; Oral"},
    {"1 tab bid mdd 2", "1 tablet, twice a day, at most 2 a day"},
    {"1 tab tid mdd: 3 tablets", "1 tablet, 3 times a day, at most 3 tablet a day"},
    {"take one 150 mg tablet twice a day", "1 tablet, twice a day; one 150 mg tablet"},
    {"2 tabs po bid x 3 days followed by 1 tab po bid x 3 days",
     "2 tablet, twice a day, for 3 days; Oral; then 1 tablet, twice a day, for 3 days; Oral"},
    {"4 tabs daily for 3 days, then 3 tabs daily for 3 days, then 2 tabs daily for 3 days, then 1 tab daily "
     "for 3 days, then stop",
     "4 tablet, once a day, for 3 days; then 3 tablet, once a day, for 3 days; then 2 tablet, once a day, "
     "for 3 days; then 1 tablet, once a day, for 3 days"},
    {"1 tab in the morning and 2 tabs at night for 7 days, then 1 tab in the morning for 7 days",
     "1 tablet, once a day, in the morning, for 7 days; and 2 tablet, once a day, at night, for 7 days; then "
     "1 tablet, once a day, in the morning, for 7 days"},
    {"1 tab bid for 5 days x 5 days", "1 tablet, twice a day, for 5 days"},
    {"1 tab po po bid", "1 tablet, twice a day; Oral"},
    {"1 tab bid bid", "1 tablet, twice a day"},
    {"1 tab bid, , . ; x 5 d", "1 tablet, twice a day, for 5 days"},
    {"1\ttab\tbid", "1 tablet, twice a day"},
    {"  1 tab   bid  ", "1 tablet, twice a day"},
    {"1tab bid", "1 tablet, twice a day"},
    {"1 tab qhs and 2 tabs qam",
     "1 tablet, once a day, at bedtime; and 2 tablet, once a day, in the morning"},
    {"1 tab qam, 2 tabs qhs", "1 tablet, once a day, in the morning; and 2 tablet, once a day, at bedtime"},
    {"200mg bid", "200 mg, twice a day"},
    {"1 tab 200mg bid", "1 tablet, twice a day; 200mg"},
    {"daily", "no amount stated, once a day"},
};

static const struct sig_example german[] = {
    {"mo, mi, fr 1 Tablette", "1 tablet, 3 times a week on Monday, Wednesday, Friday"},
    {"1-0-1", "1 (unit not stated), twice a day, in the morning and in the evening"},
    {"1-0-1-0", "1 (unit not stated), twice a day, in the morning and in the evening"},
    {"1-0-1-0 Tabletten", "1 tablet, twice a day, in the morning and in the evening"},
    {"½-0-½-0", "0.5 (unit not stated), twice a day, in the morning and in the evening"},
    {"1/2-0-1/2", "0.5 (unit not stated), twice a day, in the morning and in the evening"},
    {"0-0-0-1", "1 (unit not stated), once a day, at night"},
    {"1 - 0 - 1", "1 (unit not stated), twice a day, in the morning and in the evening"},
    {"3x täglich 1 Tablette", "1 tablet, 3 times a day"},
    {"3 x tgl. 1 Tbl.", "1 tablet, 3 times a day"},
    {"1 Tablette 3x täglich", "1 tablet, 3 times a day"},
    {"2x täglich 1 Tablette nach dem Essen", "1 tablet, twice a day, after a meal"},
    {"morgens 1 Tablette", "1 tablet, once a day, in the morning"},
    {"morgens 1 Tablette, abends 2 Tabletten",
     "1 tablet, once a day, in the morning; and 2 tablet, once a day, in the evening"},
    {"morgens und abends je 1 Tablette", "1 tablet, twice a day, in the morning and in the evening"},
    {"je 1 Tablette morgens und abends", "1 tablet, twice a day, in the morning and in the evening"},
    {"1 Tablette morgens und 2 Tabletten abends",
     "1 tablet, once a day, in the morning; and 2 tablet, once a day, in the evening"},
    {"Alle 8 Stunden 1 Tablette einnehmen", "1 tablet, once every 8 hours"},
    {"1 Tablette alle 8 Stunden für 7 Tage", "1 tablet, once every 8 hours, for 7 days"},
    {"1 Tablette bei Bedarf, max. 4 Tabletten pro Tag", "1 tablet, only as needed, at most 4 tablet a day"},
    {"eine halbe Tablette zur Nacht", "0.5 tablet, once a day, at night"},
    {"anderthalb Tabletten täglich", "1.5 tablet, once a day"},
    {"2,5 ml zweimal täglich", "2.5 mL, twice a day"},
    {"1 Tablette jeden zweiten Tag", "1 tablet, once every 2 days"},
    {"montags 1 Tablette", "1 tablet, once a week on Monday"},
    {"1 Tablette jeden Montag", "1 tablet, once a week on Monday"},
    {"1 Tablette um 8 Uhr", "1 tablet, once a day, at 08:00"},
    {"1 Tablette um 08:00 und 20:00 Uhr", "1 tablet, twice a day, at 08:00 and 20:00"},
    {"1 Tbl. 30 Minuten vor dem Frühstück unzerkaut mit Wasser",
     "1 tablet, once a day, 30 min before breakfast; unzerkaut; mit Wasser"},
    {"20 Tropfen 3x täglich", "20 drop, 3 times a day"},
    {"2 Hübe morgens und abends inhalieren", "2 puff, twice a day, in the morning and in the evening"},
    {"1 Kapsel täglich nüchtern", "1 capsule, once a day; nüchtern"},
    {"1-0-1 für 7 Tage, dann 1-0-0 für 7 Tage, dann absetzen",
     "1 (unit not stated), twice a day, in the morning and in the evening, for 7 days; then 1 (unit not "
     "stated), once a day, in the morning, for 7 days"},
    {"1-0-1 bei Bedarf",
     "1 (unit not stated), twice a day, in the morning and in the evening, only as needed"},
    {"1-0-1 nach dem Essen",
     "1 (unit not stated), twice a day, in the morning and in the evening; nach dem Essen"},
    {"1 Tablette täglich dauerhaft", "1 tablet, once a day"},
    {"Täglich 1", "1 (unit not stated), once a day"},
    {"1 täglich", "1 (unit not stated), once a day"},
    {"1-0-1 Kapseln", "1 capsule, twice a day, in the morning and in the evening"},
    {"montags 1-0-1", "1 (unit not stated), twice a week on Monday, in the morning and in the evening"},
};

/* Text and its Dosage array. */
static const struct sig_example as_fhir[] = {
    {"1 tab po bid pc",
     "[{\"sequence\":1,\"text\":\"1 tab po bid "
     "pc\",\"timing\":{\"repeat\":{\"frequency\":2,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"PC\"]}},"
     "\"asNeededBoolean\":false,\"route\":{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"26643006\",\"display\":\"Oral\"}],\"text\":\"Oral\"},\"doseAndRate\":[{"
     "\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"take 1-2 tablets by mouth every 4 to 6 hours as needed for pain, max 8 tablets/24h",
     "[{\"sequence\":1,\"text\":\"take 1-2 tablets by mouth every 4 to 6 hours as needed for pain, max 8 "
     "tablets/"
     "24h\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":4,\"periodMax\":6,\"periodUnit\":\"h\"}},"
     "\"asNeededCodeableConcept\":{\"text\":\"pain\"},\"route\":{\"coding\":[{\"system\":\"http://"
     "snomed.info/"
     "sct\",\"code\":\"26643006\",\"display\":\"Oral\"}],\"text\":\"Oral\"},\"method\":{\"coding\":[{"
     "\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"419652001\",\"display\":\"Take\"}],\"text\":\"Take\"},\"doseAndRate\":[{\"doseRange\":"
     "{\"low\":{\"value\":1,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"},\"high\":{\"value\":2,\"unit\":\"tablet\",\"system\":"
     "\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}}],\"maxDosePerPeriod\":{\"numerator\":{\"value\":8,"
     "\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"},\"denominator\":{\"value\":1,\"unit\":\"day\",\"system\":"
     "\"http://unitsofmeasure.org\",\"code\":\"d\"}}}]"},
    {"up to 5 puffs as required",
     "[{\"sequence\":1,\"text\":\"up to 5 puffs as "
     "required\",\"asNeededBoolean\":true,\"doseAndRate\":[{\"doseRange\":{\"high\":{\"value\":5,\"unit\":"
     "\"puff\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{puff}\"}}}]}]"},
    {"1 tablet up to 4 times a day",
     "[{\"sequence\":1,\"text\":\"1 tablet up to 4 times a "
     "day\",\"timing\":{\"repeat\":{\"frequencyMax\":4,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"take 1 tablet at 8am and 8pm",
     "[{\"sequence\":1,\"text\":\"take 1 tablet at 8am and "
     "8pm\",\"timing\":{\"repeat\":{\"timeOfDay\":[\"08:00:00\",\"20:00:00\"]}},\"asNeededBoolean\":false,"
     "\"method\":{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"419652001\",\"display\":\"Take\"}],\"text\":\"Take\"},\"doseAndRate\":[{"
     "\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"1 tab every Monday and Thursday at bedtime",
     "[{\"sequence\":1,\"text\":\"1 tab every Monday and Thursday at "
     "bedtime\",\"timing\":{\"repeat\":{\"frequency\":2,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":["
     "\"mon\",\"thu\"],\"when\":[\"HS\"]}},\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{"
     "\"value\":1,\"unit\":\"tablet\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"1 tab 30 minutes before breakfast",
     "[{\"sequence\":1,\"text\":\"1 tab 30 minutes before "
     "breakfast\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\",\"when\":["
     "\"ACM\"],\"offset\":30}},\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,"
     "\"unit\":\"tablet\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"2 drops in the right eye twice a day for 7 days",
     "[{\"sequence\":1,\"text\":\"2 drops in the right eye twice a day for 7 "
     "days\",\"timing\":{\"repeat\":{\"boundsDuration\":{\"value\":7,\"unit\":\"day\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"d\"},\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"site\":{\"text\":\"right "
     "eye\"},\"route\":{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"54485002\",\"display\":\"Ophthalmic\"}],\"text\":\"Ophthalmic\"},\"doseAndRate\":[{"
     "\"doseQuantity\":{\"value\":2,\"unit\":\"drop\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"[drp]\"}}]}]"},
    {"1 tablet three times a day for at least 5 days",
     "[{\"sequence\":1,\"text\":\"1 tablet three times a day for at least 5 "
     "days\",\"timing\":{\"repeat\":{\"boundsRange\":{\"low\":{\"value\":5,\"unit\":\"day\",\"system\":"
     "\"http://"
     "unitsofmeasure.org\",\"code\":\"d\"}},\"frequency\":3,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"1 tablet per day for up to 2 weeks",
     "[{\"sequence\":1,\"text\":\"1 tablet per day for up to 2 "
     "weeks\",\"timing\":{\"repeat\":{\"boundsRange\":{\"high\":{\"value\":2,\"unit\":\"week\",\"system\":"
     "\"http://"
     "unitsofmeasure.org\",\"code\":\"wk\"}},\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"Take 4 tablets daily for 7 days starting January 16, 2015",
     "[{\"sequence\":1,\"text\":\"Take 4 tablets daily for 7 days starting January 16, "
     "2015\",\"timing\":{\"repeat\":{\"boundsPeriod\":{\"start\":\"2015-01-16\",\"end\":\"2015-01-22\"},"
     "\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"asNeededBoolean\":false,\"method\":{\"coding\":[{"
     "\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"419652001\",\"display\":\"Take\"}],\"text\":\"Take\"},\"doseAndRate\":[{"
     "\"doseQuantity\":{\"value\":4,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"take 2 tablets once", "[{\"sequence\":1,\"text\":\"take 2 tablets "
                            "once\",\"timing\":{\"repeat\":{\"count\":1}},\"asNeededBoolean\":false,"
                            "\"method\":{\"coding\":[{\"system\":\"http://snomed.info/"
                            "sct\",\"code\":\"419652001\",\"display\":\"Take\"}],\"text\":\"Take\"},"
                            "\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\",\"system\":"
                            "\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"2 tabs bid for 3 days, then 1 tab bid for 3 days then stop",
     "[{\"sequence\":1,\"text\":\"2 tabs bid for 3 "
     "days\",\"timing\":{\"repeat\":{\"boundsDuration\":{\"value\":3,\"unit\":\"day\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"d\"},\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]},{\"sequence\":2,\"text\":\"1 tab "
     "bid for 3 days then "
     "stop\",\"timing\":{\"repeat\":{\"boundsDuration\":{\"value\":3,\"unit\":\"day\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"d\"},\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"1 tab in the morning and 2 tabs at night",
     "[{\"sequence\":1,\"text\":\"1 tab in the morning and 2 tabs at "
     "night\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"MORN\"]}}"
     ",\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]},{\"sequence\":1,\"text\":\"1 tab in "
     "the morning and 2 tabs at "
     "night\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"NIGHT\"]}"
     "},\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"1/2 or 1 tab po qd prn, max 3x/wk",
     "[{\"sequence\":1,\"text\":\"1/2 or 1 tab po qd prn, max "
     "3x/"
     "wk\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"asNeededBoolean\":"
     "true,\"route\":{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"26643006\",\"display\":\"Oral\"}],\"text\":\"Oral\"},\"doseAndRate\":[{\"doseRange\":{"
     "\"low\":{\"value\":0.5,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"},\"high\":{\"value\":1,\"unit\":\"tablet\",\"system\":"
     "\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}}],\"maxDosePerPeriod\":{\"numerator\":{\"value\":3,"
     "\"unit\":\"dose\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{dose}\"},\"denominator\":{\"value\":1,\"unit\":\"week\",\"system\":"
     "\"http://unitsofmeasure.org\",\"code\":\"wk\"}}}]"},
    {"1 tab po bid with or after food",
     "[{\"sequence\":1,\"text\":\"1 tab po bid with or after "
     "food\",\"additionalInstruction\":[{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"311504000\",\"display\":\"With or after food\"}],\"text\":\"With or after "
     "food\"}],\"timing\":{\"repeat\":{\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"}},"
     "\"asNeededBoolean\":false,\"route\":{\"coding\":[{\"system\":\"http://snomed.info/"
     "sct\",\"code\":\"26643006\",\"display\":\"Oral\"}],\"text\":\"Oral\"},\"doseAndRate\":[{"
     "\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"15 units before lunch",
     "[{\"sequence\":1,\"text\":\"15 units before "
     "lunch\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"ACD\"]}},"
     "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":15,\"unit\":\"unit\","
     "\"system\":\"http://unitsofmeasure.org\",\"code\":\"U\"}}]}]"},
    {"1 tab with meals and at bedtime",
     "[{\"sequence\":1,\"text\":\"1 tab with meals and at "
     "bedtime\",\"timing\":{\"repeat\":{\"when\":[\"HS\",\"C\"]}},\"asNeededBoolean\":false,\"doseAndRate\":["
     "{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\",\"system\":\"http://"
     "unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]"},
    {"2.5 ml q8h", "[{\"sequence\":1,\"text\":\"2.5 ml "
                   "q8h\",\"timing\":{\"repeat\":{\"frequency\":1,\"period\":8,\"periodUnit\":\"h\"}},"
                   "\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":2.5,\"unit\":"
                   "\"mL\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"mL\"}}]}]"},
    {"up to bid", "[{\"sequence\":1,\"text\":\"up to "
                  "bid\",\"timing\":{\"repeat\":{\"frequencyMax\":2,\"period\":1,\"periodUnit\":\"d\"}},"
                  "\"asNeededBoolean\":false}]"},
};

static void english_texts_mean_what_they_say(void **state)
{
    (void)state;
    sig_read_or_fail(SIGTEXT_ENGLISH, english, sizeof english / sizeof english[0]);
}

static void german_texts_mean_what_they_say(void **state)
{
    (void)state;
    sig_read_or_fail(SIGTEXT_GERMAN, german, sizeof german / sizeof german[0]);
}

static void readings_are_written_as_fhir_r4(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof as_fhir / sizeof as_fhir[0]; i++) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, as_fhir[i].text, &sig);
        assert_string_equal(sig.reason, "");
        char *json = sig_json(&sig, as_fhir[i].text);
        assert_string_equal(json, as_fhir[i].means);
        free(json);
    }
}

static void letters_case_and_spaces_do_not_count(void **state)
{
    static const char *const ways[] = {"1 tab po bid pc", "1 TAB PO BID PC", "  1\ttab  p.o.  B.I.D. p.c.\n",
                                       "1 tab\xc2\xa0po bid, pc.", "One tab; po bid (pc)"};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const struct sig_example example = {ways[i], "1 tablet, twice a day, after a meal; Oral"};
        sig_read_or_fail(SIGTEXT_ENGLISH, &example, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english_texts_mean_what_they_say),
        cmocka_unit_test(german_texts_mean_what_they_say),
        cmocka_unit_test(readings_are_written_as_fhir_r4),
        cmocka_unit_test(letters_case_and_spaces_do_not_count),
    };
    return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
