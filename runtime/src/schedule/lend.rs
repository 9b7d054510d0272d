//! Who lends a run what it uses, where others use it too.

use super::amount::{Amount, Lack, Need};

/// Stands between one run and a machine that it shares.
pub trait Lender: Send {
    /// Takes what a node needs, if that is lent to this run now. If not it is asked for: who lends it tells the
    /// run when it is worth trying again. Only the first refusal since [`Lender::settle`] is asked for.
    ///
    /// # Errors
    /// What is not lent to this run now.
    fn take(&mut self, need: &Need) -> Result<Amount, Lack>;

    /// A node no longer uses what it took.
    fn give(&mut self, amount: &Amount);

    /// All that fits has been taken. What this run has been lent and does not use may go to others who wait.
    fn settle(&mut self);
}
