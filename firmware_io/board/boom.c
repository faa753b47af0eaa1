/* barie board: the boom's own side. One file for an ATmega328P (Arduino Uno or Nano) with an RS-485 transceiver, eight
 * inputs and six relays. Wiring and build: docs/board.md. Licence: AGPL-3.0-or-later, as the whole of barie.
 *
 * What it promises, whatever the host does:
 *   - every output ends by itself: an order is a lease of at most LEASE_MS;
 *   - `open` and `close` are never on together, and `close` is refused while anything is under the arm;
 *   - a descent that was ordered stays watched until limit_closed: a broken beam, an occupied loop or a pressed edge
 *     releases `close` and orders `open`, again and again, until limit_open; host alive or dead;
 *   - it moves nothing at power-up; a descent survives a reset by its own watchdog (RAM that start-up leaves alone).
 * What is under the arm is judged each millisecond in the timer interrupt; Modbus runs beside it in the main loop. The
 * hardware watchdog is fed only where both have gone round.
 *
 * Modbus RTU slave, 8N1 (Modbus application protocol 1.1b3): 01 relays 0-5, 02 inputs 0-7 (1: contact closed), 05 relay
 * on (a lease) or off, 05 at 0x0200+n on for value x 100 ms, 03 at 0 version, phase, reversals, watchdog resets, and at
 * 0x1000+n zero (no input is linked to a relay). A refused `close` is answered by exception 4.
 */

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <util/atomic.h>

#ifndef UNIT
#define UNIT 1
#endif
#ifndef BAUD_RATE
#define BAUD_RATE 19200UL
#endif
#define VERSION 1

/* ---- what is wired: input n is bit n-1. A normally closed contact opens when it is true. */
enum { PRESENCE = 1, SAFETY_LOOP = 2, PHOTOCELL = 4, LIMIT_OPEN = 8, LIMIT_CLOSED = 16, SAFETY_EDGE = 32, FIRE = 64, KEY = 128 };
#ifndef WIRED
#define WIRED (PRESENCE | SAFETY_LOOP | PHOTOCELL | LIMIT_OPEN | LIMIT_CLOSED)
#endif
#ifndef NORMALLY_CLOSED
#define NORMALLY_CLOSED (SAFETY_LOOP | PHOTOCELL | SAFETY_EDGE)
#endif
#define UNDER_ARM ((SAFETY_LOOP | PHOTOCELL | SAFETY_EDGE) & (WIRED))

enum { OPEN = 0, CLOSE = 1, STOP = 2, OUTPUTS = 6 };
#define LEASE_MS 2000
#define REVERSE_ON_MS 500
#define REVERSE_OFF_MS 500
#define REVERSE_TRIES 40 /* a drive that has not brought the arm up by then does not obey: 40 s */
#define STEADY_MS 5      /* an input counts once it has kept its value for so long */
#define SETTLE_MS 20     /* after a start, before anything is concluded from the inputs */
#define FRAME_GAP_MS 4   /* 3.5 characters at 9600 baud */

/* ---- state. `kept` survives a reset by the watchdog, and means nothing after power-up (then `magic` is noise). */
static struct {
    uint32_t magic;
    uint8_t descending;
    uint8_t reversing; /* tries left */
    uint16_t reversals, watchdogs;
} kept __attribute__((section(".noinit")));
#define MAGIC 0xB041E5A7UL

static volatile uint16_t lease_ms[OUTPUTS];
static volatile uint8_t inputs; /* steady, 1: contact closed */
static volatile uint8_t ticks;
static uint8_t steady_ms[8];
static uint8_t settle_ms = SETTLE_MS;
static uint16_t reverse_ms;

static volatile uint8_t frame[32], length;
static volatile uint8_t quiet_ms;

/* ---- inputs and outputs: D3-D7 and D8-D10 in, A0-A5 out, D2 drives the transceiver. */
static uint8_t contacts(void) { return (uint8_t)~((PIND >> 3) | (PINB << 5)); } /* pull-ups: low is closed */

static void relay(uint8_t n, bool on) {
    if (on)
        PORTC |= (uint8_t)(1 << n);
    else
        PORTC &= (uint8_t)~(1 << n);
}

static bool is_on(uint8_t n) { return PORTC & (1 << n); }

static uint8_t truths(void) { return (uint8_t)((inputs ^ (NORMALLY_CLOSED)) & (WIRED)); }

static void release(uint8_t n) {
    lease_ms[n] = 0;
    relay(n, false);
}

static void grant(uint8_t n, uint16_t ms) {
    if (n == OPEN || n == STOP)
        release(CLOSE);
    if (n == STOP)
        release(OPEN);
    lease_ms[n] = ms > LEASE_MS ? LEASE_MS : ms;
    relay(n, true);
}

/* An order of the host. False: refused. Called with interrupts off. */
static bool order(uint8_t n, uint16_t ms) {
    if (n == CLOSE) {
        if ((truths() & UNDER_ARM) || is_on(OPEN) || kept.reversing)
            return false;
        kept.descending = 1;
    } else if (n == OPEN) {
        kept.descending = 0; /* going up: whoever comes under the arm now is safe */
    }
    grant(n, ms);
    return true;
}

/* ---- each millisecond */
static void look(void) {
    uint8_t now = contacts();
    for (uint8_t n = 0; n < 8; n++) {
        if (((now ^ inputs) >> n) & 1) {
            if (++steady_ms[n] >= STEADY_MS) {
                inputs ^= (uint8_t)(1 << n);
                steady_ms[n] = 0;
            }
        } else {
            steady_ms[n] = 0;
        }
    }
}

static void supervise(void) {
    uint8_t is = truths();
    if (kept.descending && (is & UNDER_ARM)) {
        kept.descending = 0;
        kept.reversing = REVERSE_TRIES;
        kept.reversals++;
        release(CLOSE);
        reverse_ms = 0;
    }
    if (is & LIMIT_CLOSED & WIRED)
        kept.descending = 0;
    if (!kept.reversing)
        return;
    if (is & LIMIT_OPEN & WIRED) {
        kept.reversing = 0;
    } else if (reverse_ms == 0) {
        grant(OPEN, REVERSE_ON_MS);
        reverse_ms = REVERSE_ON_MS + REVERSE_OFF_MS;
        kept.reversing--;
    } else {
        reverse_ms--;
    }
}

ISR(TIMER0_COMPA_vect) {
    look();
    for (uint8_t n = 0; n < OUTPUTS; n++)
        if (lease_ms[n] && --lease_ms[n] == 0)
            relay(n, false);
    if (settle_ms)
        settle_ms--;
    else
        supervise();
    if (quiet_ms < 255)
        quiet_ms++;
    ticks++;
}

/* ---- Modbus */
ISR(USART_RX_vect) {
    uint8_t byte = UDR0;
    if (length < sizeof frame)
        frame[length++] = byte;
    quiet_ms = 0;
}

static uint16_t crc(const uint8_t *data, uint8_t count) {
    uint16_t value = 0xFFFF;
    while (count--) {
        value ^= *data++;
        for (uint8_t bit = 0; bit < 8; bit++)
            value = value & 1 ? (value >> 1) ^ 0xA001 : value >> 1;
    }
    return value;
}

static void say(uint8_t *data, uint8_t count) {
    uint16_t sum = crc(data, count);
    data[count++] = (uint8_t)sum;
    data[count++] = (uint8_t)(sum >> 8);
    PORTD |= _BV(PD2);
    for (uint8_t n = 0; n < count; n++) {
        while (!(UCSR0A & _BV(UDRE0)))
            ;
        UCSR0A |= _BV(TXC0);
        UDR0 = data[n];
    }
    while (!(UCSR0A & _BV(TXC0)))
        ;
    PORTD &= (uint8_t)~_BV(PD2);
}

static uint8_t write_coil(uint16_t address, uint16_t value) {
    uint8_t n = (uint8_t)(address & 0xFF), code = 0;
    uint16_t ms = LEASE_MS;
    if (n >= OUTPUTS || (address != n && address != (0x0200 | n)))
        return 2;
    if (address & 0x0200) {
        if (value < 1 || value > LEASE_MS / 100)
            return 3;
        ms = value * 100;
    } else if (value != 0 && value != 0xFF00) {
        return 3;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (value == 0) {
            if (n != OPEN || !kept.reversing) /* a reversal of ours is nobody's to end */
                release(n);
        } else if (!order(n, ms)) {
            code = 4;
        }
    }
    return code;
}

static uint16_t register_at(uint16_t address) {
    switch (address) {
    case 0: return VERSION;
    case 1: return kept.reversing ? 2 : kept.descending;
    case 2: return kept.reversals;
    case 3: return kept.watchdogs;
    default: return 0;
    }
}

static uint8_t read(uint8_t function, uint16_t address, uint16_t count, uint8_t *reply) {
    uint8_t limit = function == 1 ? OUTPUTS : function == 2 ? 8 : 6;
    uint16_t at = function == 3 ? address & 0x0FFF : address;
    if (count < 1 || count > limit || at > limit - count)
        return 2;
    if (function == 3) {
        reply[2] = (uint8_t)(2 * count);
        for (uint8_t n = 0; n < count; n++) {
            uint16_t value = 0;
            ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { value = register_at(address + n); }
            reply[3 + 2 * n] = (uint8_t)(value >> 8);
            reply[4 + 2 * n] = (uint8_t)value;
        }
    } else {
        reply[2] = 1;
        reply[3] = (uint8_t)(((function == 1 ? PORTC : inputs) >> address) & ((1 << count) - 1));
    }
    return 0;
}

static void serve(uint8_t *asked, uint8_t count) {
    if (count != 8 || asked[0] != UNIT || crc(asked, 6) != (asked[6] | (uint16_t)asked[7] << 8))
        return;
    uint8_t reply[20] = {UNIT, asked[1]}, code = 1;
    uint16_t address = (uint16_t)asked[2] << 8 | asked[3], value = (uint16_t)asked[4] << 8 | asked[5];
    if (asked[1] >= 1 && asked[1] <= 3)
        code = read(asked[1], address, value, reply);
    else if (asked[1] == 5)
        code = write_coil(address, value);
    if (code) {
        reply[1] |= 0x80;
        reply[2] = code;
        say(reply, 3);
    } else if (asked[1] == 5) {
        say(asked, 6);
    } else {
        say(reply, (uint8_t)(3 + reply[2]));
    }
}

/* ---- start */
static void start(void) {
    uint8_t why = MCUSR;
    MCUSR = 0;
    wdt_enable(WDTO_120MS);
    PORTC = 0; /* released before the pins become outputs */
    DDRC = 0x3F;
    DDRD = _BV(PD1) | _BV(PD2);
    PORTD = 0xF8;
    PORTB = 0x07;
    if (kept.magic != MAGIC || !(why & _BV(WDRF)))
        memset(&kept, 0, sizeof kept);
    else
        kept.watchdogs++;
    kept.magic = MAGIC;
    inputs = 0; /* all contacts open until they were seen: normally closed ones read as true */
    UBRR0 = (uint16_t)((F_CPU / 4 / BAUD_RATE - 1) / 2);
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = (uint8_t)(F_CPU / 64 / 1000 - 1);
    TIMSK0 = _BV(OCIE0A);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
}

int main(void) {
    uint8_t seen = 0, asked[sizeof frame], count;
    start();
    for (;;) {
        sleep_mode();
        if (ticks != seen) { /* both the interrupt and this loop have gone round */
            seen = ticks;
            wdt_reset();
        }
        if (!length || quiet_ms < FRAME_GAP_MS)
            continue;
        ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
            count = length;
            memcpy(asked, (const void *)frame, count);
            length = 0;
        }
        serve(asked, count);
    }
}
