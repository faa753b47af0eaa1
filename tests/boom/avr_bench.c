/* An ATmega328P with the firmware in it (simavr), at the pace of real time: its serial line on a pseudo-terminal, its
 * inputs set and its relays told by lines of text. Prints "port NAME", then "relays MASK" at each change.
 * Reads "inputs MASK" (1: contact closed), "hang" (the main loop goes no further), "mute 1" (nothing passes the line), "power" (off and on again). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_elf.h"

static int line;
static avr_t *avr;
static avr_irq_t *to_board;
static uint8_t relays;
static int room = 1, mute;
static unsigned contacts;
static uint32_t hung_at = UINT32_MAX;
static uint16_t hung_was;

static void said(struct avr_irq_t *irq, uint32_t value, void *param) {
    uint8_t byte = (uint8_t)value;
    if (!mute && write(line, &byte, 1) != 1)
        perror("line");
}
static void xon(struct avr_irq_t *irq, uint32_t value, void *param) { room = 1; }
static void xoff(struct avr_irq_t *irq, uint32_t value, void *param) { room = 0; }
static void no_sleep(avr_t *a, avr_cycle_count_t howlong) {}

static void switched(struct avr_irq_t *irq, uint32_t value, void *param) {
    uint8_t now = (uint8_t)value & 0x3F;
    if (now != relays)
        printf("relays %u\n", relays = now), fflush(stdout);
}

static void inputs(unsigned mask) {
    contacts = mask;
    for (int n = 0; n < 8; n++) {
        char port = n < 5 ? 'D' : 'B';
        int pin = n < 5 ? n + 3 : n - 5;
        avr_irq_t *wire = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(port), pin);
        wire->value = mask >> n & 1; /* told anew even where nothing changed: a reset forgets what hangs on the pins */
        avr_raise_irq(wire, !(mask >> n & 1));
    }
}

static void hang(void) { /* rjmp to itself, at the place where the main loop is */
    hung_at = avr->pc;
    memcpy(&hung_was, avr->flash + hung_at, 2);
    uint16_t forever = 0xCFFF;
    memcpy(avr->flash + hung_at, &forever, 2);
}

static void command(char *text) {
    unsigned mask;
    if (sscanf(text, "inputs %u", &mask) == 1)
        inputs(mask);
    else if (sscanf(text, "mute %u", &mask) == 1)
        mute = (int)mask;
    else if (!strncmp(text, "hang", 4))
        hang();
    else if (!strncmp(text, "power", 5)) {
        memset(avr->data + avr->ioend + 1, 0x5A, avr->ramend - avr->ioend);
        avr_reset(avr);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    elf_firmware_t firmware = {{0}};
    int slave;
    char name[64], text[64];
    struct termios raw;
    if (argc < 2 || elf_read_firmware(argv[1], &firmware) || !(avr = avr_make_mcu_by_name("atmega328p")))
        return 2;
    avr_init(avr);
    avr->log = 0;
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    avr->sleep = no_sleep;
    setvbuf(stdin, NULL, _IONBF, 0); /* poll() has to see each command */
    if (openpty(&line, &slave, name, NULL, NULL))
        return 2;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POOL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    to_board = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), said, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), xon, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), xoff, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('C'), IOPORT_IRQ_REG_PORT), switched, NULL);
    inputs(0);
    double began = now();
    for (uint64_t ms = 1;; ms++) {
        struct pollfd heard[2] = {{line, POLLIN, 0}, {0, POLLIN, 0}};
        double ahead = began + ms * 1e-3 - now();
        if (ahead < -0.05)
            began = now() - ms * 1e-3; /* this machine was busy: the board's time waits with it */
        poll(heard, 2, ahead > 0 ? 1 : 0);
        if (heard[1].revents & POLLIN) {
            if (!fgets(text, sizeof text, stdin))
                return 0;
            command(text);
        } else if (heard[1].revents)
            return 0;
        inputs(contacts);
        if (ms == 50) /* it has started */
            printf("port %s\n", name), fflush(stdout);
        uint8_t byte;
        for (int n = 0; n < 4 && room && (heard[0].revents & POLLIN) && poll(heard, 1, 0) == 1; n++)
            if (read(line, &byte, 1) == 1 && !mute)
                avr_raise_irq(to_board, byte);
        for (avr_cycle_count_t until = ms * 16000; avr->cycle < until;) {
            int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                fprintf(stderr, "the firmware ended: %d\n", state);
                return 3;
            }
            if (hung_at != UINT32_MAX && avr->pc == 0) { /* reset by its watchdog: the fault does not come again */
                memcpy(avr->flash + hung_at, &hung_was, 2);
                hung_at = UINT32_MAX;
            }
        }
    }
}
