//! Days since 1970-01-01 and back, over all years that a database can have.

use super::{Date, Instant, Time, Timestamp};

const SECONDS_OF_DAY: i64 = 86_400;

/// Days of the 400 years after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// Days between 0000-03-01, where counting is easiest as the leap day comes last, and 1970-01-01.
const EPOCH: i64 = 719_468;

/// Returns the days from 1970-01-01 to a date.
fn days_of(date: Date) -> i64 {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_OF_ERA + day_of_era - EPOCH
}

/// Returns the date that is `days` after 1970-01-01. Nothing if its year is out of range.
fn date_of(days: i64) -> Option<Date> {
    let shifted = days.checked_add(EPOCH)?;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_OF_ERA), shifted.rem_euclid(DAYS_OF_ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Some(Date { year: year.try_into().ok()?, month: month.try_into().ok()?, day: day.try_into().ok()? })
}

impl Date {
    /// Returns the date that is `days` after 1970-01-01. Nothing if its year is out of range.
    pub fn from_days(days: i64) -> Option<Self> {
        date_of(days)
    }

    /// Tells whether there is such a day.
    pub fn is_valid(self) -> bool {
        (1..=12).contains(&self.month) && self.day >= 1 && date_of(days_of(self)) == Some(self)
    }
}

impl Time {
    /// Tells whether there is such a time. There is no leap second.
    pub fn is_valid(self) -> bool {
        let Self { hour, minute, second, microsecond } = self;
        let is_end = hour == 24 && minute == 0 && second == 0 && microsecond == 0;
        is_end || (hour < 24 && minute < 60 && second < 60 && microsecond < 1_000_000)
    }

    /// Returns the microseconds since midnight.
    pub(crate) fn micros(self) -> i64 {
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        seconds * 1_000_000 + i64::from(self.microsecond)
    }

    /// Returns the time that is so many microseconds after midnight. Nothing after the end of the day.
    pub fn from_micros(micros: i64) -> Option<Self> {
        if !(0..=SECONDS_OF_DAY * 1_000_000).contains(&micros) {
            return None;
        }
        let seconds = micros / 1_000_000;
        Some(Self {
            hour: u8::try_from(seconds / 3600).ok()?,
            minute: u8::try_from(seconds / 60 % 60).ok()?,
            second: u8::try_from(seconds % 60).ok()?,
            microsecond: u32::try_from(micros % 1_000_000).ok()?,
        })
    }
}

impl Timestamp {
    /// Returns the point in time at which clocks in UTC show this.
    pub(crate) fn in_utc(self) -> Instant {
        let seconds = days_of(self.date) * SECONDS_OF_DAY + self.time.micros() / 1_000_000;
        Instant { seconds, microseconds: self.time.microsecond }
    }
}

impl Instant {
    /// Returns what is so many microseconds after 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Self {
        let microseconds = u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default();
        Self { seconds: micros.div_euclid(1_000_000), microseconds }
    }

    /// Returns what clocks in UTC show. Nothing if the year is out of range.
    pub(crate) fn to_utc(self) -> Option<Timestamp> {
        let date = date_of(self.seconds.div_euclid(SECONDS_OF_DAY))?;
        let micros = self.seconds.rem_euclid(SECONDS_OF_DAY) * 1_000_000 + i64::from(self.microseconds);
        Some(Timestamp { date, time: Time::from_micros(micros)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_all_years() {
        let date = |year, month, day| Date { year, month, day };
        for (days, expected) in [
            (0, date(1970, 1, 1)),
            (-1, date(1969, 12, 31)),
            (11_016, date(2000, 2, 29)),
            (-719_528, date(0, 1, 1)),
            (-719_529, date(-1, 12, 31)),
            (2_147_483_647 + 10_957, date(5_881_610, 7, 11)),
        ] {
            assert_eq!(date_of(days), Some(expected), "{days}");
            assert_eq!(days_of(expected), days, "{expected:?}");
        }
        for days in (-800_000..800_000).step_by(7) {
            assert_eq!(date_of(days).map(days_of), Some(days));
        }
        assert_eq!(date_of(i64::MAX), None);
        assert_eq!(date_of(i64::MIN), None);
    }

    #[test]
    fn there_are_no_other_days_and_times() {
        let is_date = |year, month, day| Date { year, month, day }.is_valid();
        assert!(is_date(2000, 2, 29) && is_date(2024, 12, 31) && is_date(i32::MIN, 1, 1) && is_date(i32::MAX, 12, 31));
        assert!(!is_date(1900, 2, 29) && !is_date(2024, 0, 1) && !is_date(2024, 13, 1) && !is_date(2024, 1, 0));
        assert!(!is_date(2024, 4, 31) && !is_date(2024, 255, 255));
        let is_time = |hour, minute, second, microsecond| Time { hour, minute, second, microsecond }.is_valid();
        assert!(is_time(0, 0, 0, 0) && is_time(23, 59, 59, 999_999) && is_time(24, 0, 0, 0));
        assert!(
            !is_time(24, 0, 0, 1) && !is_time(23, 60, 0, 0) && !is_time(23, 59, 60, 0) && !is_time(0, 0, 0, 1_000_000)
        );
    }

    #[test]
    fn points_in_time_before_1970_are_less_than_zero() {
        let at = Instant::from_micros(-1);
        assert_eq!(at, Instant { seconds: -1, microseconds: 999_999 });
        assert_eq!(at.to_utc().map(Timestamp::in_utc), Some(at));
        assert_eq!(Instant { seconds: i64::MAX, microseconds: 0 }.to_utc(), None);
    }
}
