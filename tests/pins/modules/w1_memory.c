// SPDX-License-Identifier: GPL-2.0
/*
 * A 1-Wire bus in memory with up to eight DS18B20, bit by bit as their data sheet has it (Maxim 19-7487, Rev 6), so that
 * the kernel's own w1_therm reads it. What may happen to a wire is a parameter, to be written at any time:
 * raw (sixteenths of a degree Celsius at the next conversion), present, torn (a bit of the answer is wrong), faint (its
 * supply breaks down while it converts, so that it starts anew), shorted.
 */
#include <linux/module.h>
#include <linux/w1.h>

#define SENSORS 8

static int raw[SENSORS] = { [0 ... SENSORS - 1] = 20 * 16 };
static bool present[SENSORS];
static bool torn[SENSORS];
static bool faint[SENSORS];
static bool shorted;
module_param_array(raw, int, NULL, 0644);
module_param_array(present, bool, NULL, 0644);
module_param_array(torn, bool, NULL, 0644);
module_param_array(faint, bool, NULL, 0644);
module_param(shorted, bool, 0644);

enum step { IDLE, ROM_COMMAND, MATCH, SEARCH, FUNCTION, WRITE_PAD, READ_PAD };

static struct sensor {
	u8 rom[8];
	u8 pad[9];
	bool listens;
} sensors[SENSORS];

static enum step step;
static unsigned int at;		/* bits of the present step so far */
static u8 byte;

static bool rom_bit(const struct sensor *sensor, unsigned int bit)
{
	return sensor->rom[bit / 8] >> (bit % 8) & 1;
}

static void go(enum step next)
{
	step = next;
	at = 0;
	byte = 0;
}

static void seal(struct sensor *sensor)
{
	sensor->pad[8] = w1_calc_crc8(sensor->pad, 8);
}

static void power_on(struct sensor *sensor)
{
	static const u8 fresh[8] = { 0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10 };	/* 85 degrees Celsius */

	memcpy(sensor->pad, fresh, sizeof(fresh));
	seal(sensor);
}

static void convert(void)
{
	int i;

	for (i = 0; i < SENSORS; i++)
		if (sensors[i].listens && faint[i])
			power_on(&sensors[i]);
		else if (sensors[i].listens) {
			sensors[i].pad[0] = raw[i] & 0xff;
			sensors[i].pad[1] = raw[i] >> 8 & 0xff;
			sensors[i].pad[6] = 0x10 - (raw[i] & 0xf);	/* as chips do; their data sheet calls it reserved */
			seal(&sensors[i]);
		}
}

static void rom_command(u8 command)
{
	switch (command) {
	case 0xf0: go(SEARCH); break;
	case 0x55: go(MATCH); break;
	case 0xcc: go(FUNCTION); break;
	default: go(IDLE);
	}
}

static void function(u8 command)
{
	switch (command) {
	case 0x44: convert(); go(IDLE); break;	/* reading on says 1: done */
	case 0x4e: go(WRITE_PAD); break;
	case 0xbe: go(READ_PAD); break;
	default: go(IDLE);			/* copies, recalls, and the supply, of which a 1 says that it has one */
	}
}

static u8 touch_search(u8 bit)
{
	unsigned int id = at / 3, phase = at % 3;
	u8 line = 1;
	int i;

	for (i = 0; i < SENSORS; i++) {
		if (!sensors[i].listens)
			continue;
		if (phase == 2)
			sensors[i].listens = rom_bit(&sensors[i], id) == bit;
		else
			line &= rom_bit(&sensors[i], id) ^ (phase == 1);
	}
	if (++at == 3 * 64)
		go(IDLE);
	return phase == 2 ? bit : line;
}

static u8 touch_read(void)
{
	u8 line = 1;
	int i;

	if (at < 8 * 9)
		for (i = 0; i < SENSORS; i++)
			if (sensors[i].listens)
				line &= (sensors[i].pad[at / 8] >> (at % 8) & 1) ^ (torn[i] && at == 3);
	at++;
	return line;
}

static void heard(u8 bit)
{
	int i;

	byte |= bit << (at % 8);
	if (step == MATCH)
		for (i = 0; i < SENSORS; i++)
			sensors[i].listens &= rom_bit(&sensors[i], at) == bit;
	if (++at % 8)
		return;
	if (step == ROM_COMMAND)
		rom_command(byte);
	else if (step == FUNCTION)
		function(byte);
	else if (step == MATCH && at == 64)
		go(FUNCTION);
	else if (step == WRITE_PAD) {
		for (i = 0; i < SENSORS; i++)
			if (sensors[i].listens) {
				sensors[i].pad[1 + at / 8] = byte;
				seal(&sensors[i]);
			}
		if (at == 24)
			go(IDLE);
	}
	byte = 0;
}

static u8 touch_bit(void *bus, u8 bit)
{
	bit = !!bit;
	if (shorted)
		return 0;
	switch (step) {
	case IDLE: return bit;
	case SEARCH: return touch_search(bit);
	case READ_PAD: return touch_read();
	default: heard(bit); return bit;
	}
}

/* 0 where somebody answers, which a wire held low looks like as well. */
static u8 reset_bus(void *bus)
{
	u8 nobody = !shorted;
	int i;

	for (i = 0; i < SENSORS; i++) {
		if (!present[i])
			power_on(&sensors[i]);	/* without current it forgets */
		sensors[i].listens = present[i] && !shorted;
		if (present[i])
			nobody = 0;
	}
	go(ROM_COMMAND);
	return nobody;
}

static struct w1_bus_master master = { .touch_bit = touch_bit, .reset_bus = reset_bus };

static int __init begin(void)
{
	int i;

	for (i = 0; i < SENSORS; i++) {
		const u8 id[7] = { 0x28, 0x10 + i, 0x4d, 0x45, 0x4d, 0x00, 0x00 };

		memcpy(sensors[i].rom, id, sizeof(id));
		sensors[i].rom[7] = w1_calc_crc8(sensors[i].rom, 7);
		power_on(&sensors[i]);
	}
	return w1_add_master_device(&master);
}

static void __exit end(void)
{
	w1_remove_master_device(&master);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A 1-Wire bus in memory with DS18B20 on it");
MODULE_LICENSE("GPL");
