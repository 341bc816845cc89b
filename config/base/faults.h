/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults: what can go wrong with a machine, as words. One table each for what happens once, what lasts until
 * it is mended, and what hands, line, controller and people do. They feed the simulator, scenario files, the
 * control port and the documents. Nothing but tables.
 */
#ifndef CONFIG_BASE_FAULTS_H
#define CONFIG_BASE_FAULTS_H

/* Once: with one piece of a bay, and from FILM_SLIP on with one pouch. X(name, word, text) */
#define FAULT_TABLE(X)                                                                                      \
    X(NONE, "none", "nothing")                                                                              \
    X(MISSED, "missed", "the pocket was empty: no pulse")                                                   \
    X(TWINS, "twins",                                                                                       \
      "two pieces fall, one behind the other: the sensor sees two, or one when their pulses meet")          \
    X(TWINS_UNSEEN, "twins-unseen", "two pieces fall side by side, the sensor sees one")                    \
    X(BROKEN, "broken", "the piece breaks, the sensor notices")                                             \
    X(LATE, "late", "the piece hangs and falls after its window closed")                                    \
    X(JAM, "jam", "the rotor sticks; two automatic reversals are tried")                                    \
    X(BOUNCE, "bounce", "the sensor gives 2 to 6 edges within 5 ms; the debounce may let one more through") \
    X(FILM_SLIP, "film-slip", "the film slips under one pouch")                                             \
    X(SPLICE, "splice", "a splice of the reel lies in one pouch")                                           \
    X(PRINT_BLANK, "print-blank", "the printed number of one pouch is not readable")                        \
    X(PRINT_SHIFT, "print-shift", "one pouch bears the number of the one before")                           \
    X(SEAL_WEAK, "seal-weak", "one seal does not close although it is warm")                                \
    X(CAMERA_ALARM, "camera-alarm", "the camera refuses one right pouch")                                   \
    X(CAMERA_MISS, "camera-miss", "the camera passes one pouch whatever lies in it")                        \
    X(WEIGHT_ALARM, "weight-alarm", "the weigher refuses one right pouch")

/* Until mended; value 0 mends, 1 is usual. X(name, word, of a bay, text) */
#define TROUBLE_TABLE(X)                                                                             \
    X(SENSOR_DEAD, "sensor-dead", true, "the count sensor sees nothing")                             \
    X(SENSOR_DUST, "sensor-dust", true, "the count sensor is dark all the time")                     \
    X(SENSOR_BOUNCE, "sensor-bounce", true, "every piece bounces")                                   \
    X(LID_OPEN, "lid-open", true, "the canister's lid is open")                                      \
    X(DOOR_CHANNEL, "door-channel", false, "second channel 1: stuck closed, 2: wire broken, open")   \
    X(ESTOP_CHANNEL, "estop-channel", false, "second channel 1: stuck healthy, 2: wire broken")      \
    X(HEATER_OPEN, "heater-open", false, "the sealer's heater is broken")                            \
    X(THERMOCOUPLE, "thermocouple", false, "the sealer's thermocouple is broken, reads its maximum") \
    X(SEAL_DRIFT, "seal-drift", false, "the set point runs away by value 0.1 C a minute")            \
    X(SEAL_BAR, "seal-bar", false, "the sealing bar is worn, seals do not close")                    \
    X(FILM_SENSOR, "film-sensor", false, "the pouch sensor is dirty and sees slips")                 \
    X(PRINT_HEAD, "print-head", false, "the print head is too hot")                                  \
    X(CAMERA_BLIND, "camera-blind", false, "the camera passes everything")                           \
    X(CAMERA_DEAD, "camera-dead", false, "the camera does not answer")                               \
    X(WEIGHER_DRIFT, "weigher-drift", false, "the weigher reads value mg too much")                  \
    X(WEIGHER_DEAD, "weigher-dead", false, "the weigher does not answer")                            \
    X(START_BUTTON, "start-button", false, "the start button of the panel is pressed")               \
    X(STOP_BUTTON, "stop-button", false, "the stop button of the panel is pressed")                  \
    X(RESET_BUTTON, "reset-button", false, "the reset button of the panel is pressed")               \
    X(STATE_STUCK, "state-stuck", false, "no acting state ends")                                     \
    X(SLOW, "slow", false, "value permille are added to the cycle")

/* Digital lines beside a machine, as their levels: safety channels 1 = closed, buttons 1 = pressed, the
 * sensor 1 = a pouch is under it. X(NAME, "word") */
#define SWITCH_TABLE(X)   \
    X(ESTOP_A, "estop_a") \
    X(ESTOP_B, "estop_b") \
    X(GUARD_A, "guard_a") \
    X(GUARD_B, "guard_b") \
    X(START, "start")     \
    X(STOP, "stop")       \
    X(RESET, "reset")     \
    X(POUCH_OUT, "pouch_out")

/*
 * What a machine is like: keys of `machine.physics` in scenario files and fields of struct world_params.
 * X(field, "key", kind, factor, least, most, usual, text); kind MS is a duration whose milliseconds are
 * multiplied by factor for the field, INT a whole number, RATE a chance in a thousand million of one piece or
 * one pouch, as the text says, which counts whatever machine.faults_percent is.
 */
#define PHYSICS_TABLE(X)                                                                                     \
    X(jitter_permille, "jitter_permille", INT, 1, 0, 500, 30, "of the cycle, either way")                    \
    X(advance_us, "advance", MS, 1000, 1, 10000, 80, "film advance and print")                               \
    X(drop_floor_us, "drop_floor", MS, 1000, 1, 10000, 60, "shortest fall of a piece")                       \
    X(drop_median_us, "drop_median", MS, 1000, 1, 10000, 60, "median of the log-normal time on top of that") \
    X(no_pulse_us, "no_pulse", MS, 1000, 100, 60000, 2500, "a drop without a pulse for so long is given up") \
    X(reversal_us, "reversal", MS, 1000, 10, 60000, 1000, "one automatic attempt to clear a jam")            \
    X(pulse_least_us, "pulse_least", MS, 1000, 1, 1000, 8, "shortest pulse of a falling piece")              \
    X(pulse_most_us, "pulse_most", MS, 1000, 1, 1000, 30, "longest one")                                     \
    X(debounce_us, "debounce", MS, 1000, 0, 1000, 3, "the count sensor joins pulses that are closer")        \
    X(twin_gap_us, "twin_gap", MS, 1000, 0, 10000, 40,                                                       \
      "two pieces of one pocket fall at least so far apart")                                                 \
    X(twin_spread_us, "twin_spread", MS, 1000, 0, 10000, 80, "and at most so much further")                  \
    X(dwell_us, "dwell", MS, 1000, 1, 10000, 300, "seal")                                                    \
    X(contact_us, "contact", MS, 1000, 0, 1000, 5,                                                           \
      "contacts of a panel's switches and buttons chatter for so long")                                      \
    X(discrepancy_us, "discrepancy", MS, 1000, 1, 60000, 500,                                                \
      "two channels of a guard may disagree so long")                                                        \
    X(boot_us, "boot", MS, 1000, 1, 600000, 8000, "from power to the first answer")                          \
    X(starting_us, "starting", MS, 1000, 0, 600000, 5000, "state Starting, when the sealer is warm")         \
    X(resetting_us, "resetting", MS, 1000, 0, 600000, 10000, "state Resetting")                              \
    X(silence_us, "silence", MS, 1000, 100, 3600000, 2000, "controller's heartbeat missing for so long")     \
    X(starve_us, "starve", MS, 1000, 1, 3600000, 500, "Execute without a job before Suspending")             \
    X(pouch_mm, "pouch_mm", INT, 1, 10, 500, 75, "film of one pouch")                                        \
    X(reel_mm, "reel_mm", INT, 1, 10, 10000000, 300000, "film and ribbon of a new reel")                     \
    X(seal_set_dc, "seal_set_dc", INT, 1, 300, 3000, 1500, "set point of the sealer, 0.1 C")                 \
    X(seal_band_dc, "seal_band_dc", INT, 1, 1, 1000, 50, "and how far from it a seal is right")              \
    X(warm_ms, "warm", MS, 1, 1000, 3600000, 90000, "time constant of the sealer")                           \
    X(weight_sigma_permille, "weight_sigma_permille", INT, 1, 0, 1000, 20, "of one piece, before a weigher") \
    X(rates.missed, "missed", RATE, 1, 0, 1000000000, 100000, "a piece: the pocket was empty")               \
    X(rates.twins, "twins", RATE, 1, 0, 1000000000, 10000, "a piece: two fall")                              \
    X(rates.twins_unseen, "twins_unseen", RATE, 1, 0, 1000000000, 0, "a piece: two fall as one")             \
    X(rates.broken, "broken", RATE, 1, 0, 1000000000, 10000, "a piece: it breaks")                           \
    X(rates.late, "late", RATE, 1, 0, 1000000000, 10000, "a piece: it falls after its window closed")        \
    X(rates.jam, "jam", RATE, 1, 0, 1000000000, 200000, "a piece: the rotor sticks")                         \
    X(rates.jam_clears, "jam_clears", RATE, 1, 0, 1000000000, 800000000, "one automatic reversal helps")     \
    X(rates.bounce, "bounce", RATE, 1, 0, 1000000000, 0, "a piece: its pulse chatters")                      \
    X(rates.print_unread, "print_unread", RATE, 1, 0, 1000000000, 10000,                                     \
      "a pouch: its number is not readable")                                                                 \
    X(rates.film_slip, "film_slip", RATE, 1, 0, 1000000000, 0, "a pouch")                                    \
    X(rates.vision_alarm, "vision_alarm", RATE, 1, 0, 1000000000, 1000000,                                   \
      "a right pouch: the camera refuses it")                                                                \
    X(rates.vision_miss, "vision_miss", RATE, 1, 0, 1000000000, 1000000,                                     \
      "a wrong pouch: the camera passes it")

/* Of hands and the mains, at one machine. X(name, word, text) */
#define HAND_TABLE(X)                                                                           \
    X(POWER_OFF, "power-off", "the plug is pulled")                                             \
    X(POWER_ON, "power-on", "the plug is put back")                                             \
    X(CUT_POWER, "cut-power", "the power goes at the value-th micro-step from here (1)")        \
    X(DOOR_OPEN, "door-open", "the guard door is opened")                                       \
    X(DOOR_CLOSE, "door-close", "the guard door is closed")                                     \
    X(ESTOP, "estop", "the emergency stop is pressed")                                          \
    X(ESTOP_RELEASE, "estop-release", "the emergency stop is released")                         \
    X(EMPTY, "empty", "all pieces of the bay's canister are gone, unknown to the machine")      \
    X(SEAT, "seat", "a canister with value pieces is seated in the bay; canister 0: taken out") \
    X(SWAP, "swap", "another canister, with as many pieces, stands in the bay's seat")          \
    X(FILM_LEFT, "film-left", "value mm of film are left on the reel")                          \
    X(RIBBON_LEFT, "ribbon-left", "value mm of ribbon are left")                                \
    X(SPOIL_MEMORY, "spoil-memory", "copy 0 or 1 (value) of the board memory is damaged")       \
    X(MEND_ALL, "mend-all", "service was there: nothing that lasts is broken any more")

/* Of the line; value: with the value-th request from here (1). X(name, word, text) */
#define LINE_FAULT_TABLE(X)                                                                           \
    X(LOSE_REQUEST, "lose-request", "a request never reaches the machine")                            \
    X(LOSE_ANSWER, "lose-answer", "the machine does it, its answer is lost")                          \
    X(LATE_ANSWER, "late-answer", "the answer comes after the time-out")                              \
    X(REPEAT_REQUEST, "repeat-request", "the machine sees a request twice")                           \
    X(RESET_LINK, "reset-link", "the connection breaks before the request arrives")                   \
    X(TEAR_REQUEST, "tear-request", "a mailbox arrives with a wrong CRC, another request not whole")  \
    X(TEAR_ANSWER, "tear-answer", "the answer is cut off or has a wrong CRC")                         \
    X(BUSY, "busy", "the machine answers with exception 06")                                          \
    X(GATEWAY, "gateway", "a gateway answers with exception 0B: no machine there")                    \
    X(WRONG_ID, "wrong-id", "the answer bears another transaction id, on a serial line another unit") \
    X(HALF_OPEN, "half-open", "the connection stays open and nothing is answered on it any more")     \
    X(DRIP, "drip", "the answer comes one byte at a time")                                            \
    X(GLUE, "glue", "the answer is held and comes in one piece with the next one")

/* Of the controller's process and of people, only where a controller is part of the run. X(name, word, text)
 */
#define CREW_TABLE(X)                                                                                    \
    X(KILL, "kill-controller", "the controller's process dies, and another one starts at once")          \
    X(FREEZE, "freeze-controller", "the controller does nothing for so long (for)")                      \
    X(RIVAL, "rival-controller", "another controller takes the machine with a newer session")            \
    X(CLOCK_BACK, "clock-back", "the wall clock is set back by value minutes")                           \
    X(ASK_BATCH, "ask-batch", "somebody asks the batch (text: start, pause, resume, cancel)")            \
    X(ASK_MACHINE, "ask-machine", "somebody asks the machine (text: clear, reset, confirm, ...)")        \
    X(UNLOCK, "unlock-bay", "a person has looked at a locked bay and opens it")                          \
    X(REFILL, "refill", "a person fills the bay's canister up to value pieces, and books it")            \
    X(COUNT, "count-stock",                                                                              \
      "a person has the batch paused, counts what lies in each canister, and lets it go on")             \
    X(WITHDRAW, "withdraw", "the pouches of plan number value that hold the product text are withdrawn") \
    X(SQL, "store", "the store is changed behind the controller's back (text: one SQL statement)")

#endif
