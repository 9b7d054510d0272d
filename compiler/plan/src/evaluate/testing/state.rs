//! Walks the block of a test.

use std::{cell::OnceCell, rc::Rc};

use flow_analysis::{
    Test,
    body::{Expr, TestFunction},
};
use flow_ir::{dag::Dag, expr::Function, value::Value};
use flow_syntax::span::Span;

use super::super::{
    evaluator::{Evaluator, Frame, Result},
    value::Planned,
};
use crate::{
    error::{PlanError, Problem},
    program::{PlanFacts, Program},
    testing::{Failure, Refused, Simulated, TestHost, flow::Flow, ids::Index},
};

/// What a test has got so far. In values a DAG and an outcome are numbers: their places here.
pub(in crate::evaluate) struct Testing<'a> {
    pub(super) host: &'a dyn TestHost,
    pub(super) dags: Vec<Rc<Looked>>,
    pub(super) outcomes: Vec<Rc<(Looked, Simulated)>>,
    /// What the last question has to say, should its answer not be the one that is asserted.
    pub(super) remark: Option<Remark>,
}

/// A DAG, and what is known of it from the first question on.
pub(super) struct Looked {
    pub(super) dag: Dag,
    index: OnceCell<Index>,
    flow: OnceCell<Flow>,
}

impl Looked {
    pub(super) fn at(dag: Dag) -> Self {
        Self { dag, index: OnceCell::new(), flow: OnceCell::new() }
    }

    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.dag))
    }

    pub(super) fn flow(&self) -> &Flow {
        self.flow.get_or_init(|| Flow::of(&self.dag))
    }
}

/// A sentence, lines that say more, and what to do.
pub(super) struct Remark {
    pub(super) message: String,
    pub(super) details: String,
    pub(super) help: Option<String>,
}

/// Carries out a test.
///
/// # Errors
/// Where it does not hold, or cannot be carried out. It ends with the first such place.
pub fn evaluate_test(
    program: &dyn Program,
    facts: &dyn PlanFacts,
    host: &dyn TestHost,
    module: &str,
    test: &Test,
) -> Result<()> {
    let mut evaluator = Evaluator::new(program, facts, module);
    evaluator.testing = Some(Testing { host, dags: Vec::new(), outcomes: Vec::new(), remark: None });
    let mut frame = evaluator.frame_at(module, test.start, test.body.locals, false);
    evaluator.expr(&mut frame, &test.body.value, None).map(|_| ())
}

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(in crate::evaluate) fn test(
        &mut self,
        frame: &mut Frame,
        function: TestFunction,
        args: &[Expr],
        expr: &Expr,
    ) -> Result<Planned> {
        match (function, args) {
            (TestFunction::Assert, [condition]) => {
                self.assert(frame, condition)?;
                Ok(Planned::known(Value::None))
            }
            (TestFunction::Plan, [call]) => {
                let dag = self.planned(frame, call)?;
                let testing = self.testing(frame, expr.span)?;
                testing.dags.push(Rc::new(Looked::at(dag)));
                Ok(handle(testing.dags.len()))
            }
            (TestFunction::Simulate, [call, settings @ ..]) => {
                let looked = Looked::at(self.planned(frame, call)?);
                let simulation = self.simulation(frame, &looked, settings)?;
                let testing = self.testing(frame, expr.span)?;
                let simulated = testing.host.simulate(looked.dag.clone(), &simulation);
                let simulated = simulated.map_err(|refused| self.refused(frame, expr.span, refused))?;
                let testing = self.testing(frame, expr.span)?;
                testing.outcomes.push(Rc::new((looked, simulated)));
                Ok(handle(testing.outcomes.len()))
            }
            (TestFunction::Run, [call]) => {
                let dag = self.planned(frame, call)?;
                let (dag, _) = crate::passes::at_stage(dag, crate::passes::Stage::Plan, self.facts);
                let ran = self.testing(frame, expr.span)?.host.run(dag);
                let outputs = ran.map_err(|refused| self.refused(frame, expr.span, refused))?;
                Ok(Planned::known(Value::Record(outputs)))
            }
            (TestFunction::Same | TestFunction::Differs, _) => {
                let mut sides = Vec::with_capacity(args.len());
                for arg in args {
                    sides.push((self.expr(frame, arg, None)?, arg));
                }
                let is_equality = function == TestFunction::Same;
                let function = if is_equality { Function::Equal } else { Function::NotEqual };
                self.compare(frame, function, &sides, expr)
            }
            _ => self.ask(frame, function, args, expr),
        }
    }

    pub(super) fn testing(&mut self, frame: &Frame, span: Span) -> Result<&mut Testing<'a>> {
        if self.testing.is_none() {
            let fact = "a test's function is called elsewhere".to_owned();
            return Err(self.at(frame, span, Problem::Disagreement { fact }));
        }
        let unreachable = || PlanError::from(Problem::Unchecked);
        self.testing.as_mut().ok_or_else(unreachable)
    }

    pub(super) fn failed(&self, frame: &Frame, span: Span, failure: Failure) -> PlanError {
        self.at(frame, span, Problem::Test(Box::new(failure)))
    }

    fn refused(&self, frame: &Frame, span: Span, refused: Refused) -> PlanError {
        self.failed(frame, span, Failure::error(refused.message).help(refused.help))
    }
}

/// The place of what was put last into a list of this length.
fn handle(length: usize) -> Planned {
    Planned::known(Value::Int(i64::try_from(length).unwrap_or(i64::MAX) - 1))
}
