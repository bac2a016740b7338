// SPDX-License-Identifier: GPL-2.0
/*
 * An I2C bus in memory with one chip at 0x76, whose registers are a parameter. What may happen to a bus is one too, to be
 * written at any time: error (what each transfer ends with), stuck (no transfer ends, and nobody can interrupt it, like
 * behind a driver that waits for its hardware).
 */
#include <linux/i2c.h>
#include <linux/module.h>
#include <linux/wait.h>

#define ADDRESS 0x76

static unsigned char registers[256];
static int error;
static bool stuck;
static unsigned int waiting;
module_param_array(registers, byte, NULL, 0644);
module_param(error, int, 0644);
module_param(waiting, uint, 0444);
MODULE_PARM_DESC(waiting, "transfers that are stuck just now");

static DECLARE_WAIT_QUEUE_HEAD(queue);

static int set_stuck(const char *value, const struct kernel_param *parameter)
{
	int ret = param_set_bool(value, parameter);

	wake_up_all(&queue);
	return ret;
}

static const struct kernel_param_ops stuck_ops = { .set = set_stuck, .get = param_get_bool };
module_param_cb(stuck, &stuck_ops, &stuck, 0644);

static s32 transfer(struct i2c_adapter *adapter, u16 address, unsigned short flags, char direction, u8 command, int size,
		    union i2c_smbus_data *data)
{
	bool reads = direction == I2C_SMBUS_READ;
	int i;

	if (READ_ONCE(stuck)) {
		waiting++;
		wait_event(queue, !READ_ONCE(stuck));
		waiting--;
	}
	if (error)
		return -error;
	if (address != ADDRESS)
		return -ENXIO;
	switch (size) {
	case I2C_SMBUS_QUICK:
		return 0;
	case I2C_SMBUS_BYTE_DATA:
		if (reads)
			data->byte = registers[command];
		else
			registers[command] = data->byte;
		return 0;
	case I2C_SMBUS_WORD_DATA:
		if (reads)
			data->word = registers[command] | registers[(u8)(command + 1)] << 8;
		return 0;
	case I2C_SMBUS_I2C_BLOCK_DATA:
		for (i = 0; i < data->block[0]; i++)
			if (reads)
				data->block[1 + i] = registers[(u8)(command + i)];
			else
				registers[(u8)(command + i)] = data->block[1 + i];
		return 0;
	}
	return -EOPNOTSUPP;
}

static u32 functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_SMBUS_QUICK | I2C_FUNC_SMBUS_BYTE_DATA | I2C_FUNC_SMBUS_WORD_DATA | I2C_FUNC_SMBUS_I2C_BLOCK;
}

static const struct i2c_algorithm algorithm = { .smbus_xfer = transfer, .functionality = functionality };
static struct i2c_adapter adapter = { .owner = THIS_MODULE, .algo = &algorithm, .name = "memory", .nr = 7 };

static int __init begin(void)
{
	return i2c_add_numbered_adapter(&adapter);
}

static void __exit end(void)
{
	i2c_del_adapter(&adapter);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("An I2C bus in memory with one chip on it");
MODULE_LICENSE("GPL");
