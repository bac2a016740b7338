// SPDX-License-Identifier: GPL-2.0
/*
 * The power management block of a Raspberry Pi in memory, as far as its watchdog goes, so that the kernel's own bcm2835_wdt
 * drives it: a counter of 20 bits that loses 65,536 a second while a full reset is armed. At zero the board would be reset;
 * here `resets` counts it, the kernel's log tells it, and the timer rests.
 */
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/mfd/bcm2835-pm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/version.h>

#define RSTC 0x1c
#define WDOG 0x24
#define PASSWORD 0x5a000000
#define TICKS 0x000fffff
#define FULL_RESET 0x00000020
#define WRITTEN_ONCE 0xff000000
#define LOOKS_PER_SECOND 64

static unsigned int resets;
module_param(resets, uint, 0644);
MODULE_PARM_DESC(resets, "how often the board would have been reset");

static u8 registers[0x100] __aligned(8);
static struct bcm2835_pm block;
static struct platform_device *parent, *watchdog;
static struct hrtimer timer;

static u32 *at(unsigned int offset)
{
	return (u32 *)(registers + offset);
}

/* The driver writes with a password in front, and reads without: so a word that has it is new. */
static enum hrtimer_restart look(struct hrtimer *unused)
{
	u32 count = READ_ONCE(*at(WDOG)), control = READ_ONCE(*at(RSTC));
	bool armed = control & FULL_RESET;
	u64 looks = hrtimer_forward_now(&timer, ns_to_ktime(NSEC_PER_SEC / LOOKS_PER_SECOND));	/* some are missed */

	if ((control & WRITTEN_ONCE) == PASSWORD)
		WRITE_ONCE(*at(RSTC), control & ~WRITTEN_ONCE);
	if ((count & WRITTEN_ONCE) == PASSWORD)
		count &= TICKS;
	else if (armed)
		count -= min_t(u64, count, looks * (65536 / LOOKS_PER_SECOND));
	WRITE_ONCE(*at(WDOG), count);
	if (armed && !count) {
		resets++;
		pr_emerg("pm_memory: the watchdog resets the board\n");
		WRITE_ONCE(*at(RSTC), 0);
	}
	return HRTIMER_RESTART;
}

static int __init begin(void)
{
	block.base = (void __iomem *)registers;
	parent = platform_device_register_simple("pm-memory", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	block.dev = &parent->dev;
	platform_set_drvdata(parent, &block);
	watchdog = platform_device_alloc("bcm2835-wdt", PLATFORM_DEVID_NONE);
	if (!watchdog) {
		platform_device_unregister(parent);
		return -ENOMEM;
	}
	watchdog->dev.parent = &parent->dev;
	if (platform_device_add(watchdog)) {
		platform_device_put(watchdog);
		platform_device_unregister(parent);
		return -ENODEV;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(&timer, look, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer.function = look;
#endif
	hrtimer_start(&timer, 0, HRTIMER_MODE_REL);
	return 0;
}

static void __exit end(void)
{
	hrtimer_cancel(&timer);
	platform_device_unregister(watchdog);
	platform_device_unregister(parent);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("The watchdog of a Raspberry Pi in memory");
MODULE_LICENSE("GPL");
