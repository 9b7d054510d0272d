//! Names for the rows of a DAG, so that its written forms spell a long row out once; and the records whose
//! own names its text lets stand for them.

use std::collections::HashMap;

use crate::{
    dag::{Dag, Output},
    node::{Node, VALUE_PORT},
    text::{types::RowNames, words::is_plain},
    types::{RecordType, Row, Type},
};

/// Rows with their names, in the order in which a DAG comes upon them.
#[derive(Debug, Default)]
pub(crate) struct RowTable {
    pub rows: Vec<(String, Row)>,
    by_row: HashMap<Row, usize>,
    by_name: HashMap<String, usize>,
    /// Those within others come first.
    pub records: Vec<RecordType>,
}

/// A row whose text is shorter is written out wherever it stands.
const LONG: usize = 40;

impl RowNames for RowTable {
    fn name(&self, row: &Row) -> Option<&str> {
        self.rows.get(*self.by_row.get(row)?).map(|(name, _)| name.as_str())
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.get(*self.by_name.get(name)?).map(|(_, row)| row)
    }

    fn record(&self, name: &str) -> Option<&RecordType> {
        self.records.iter().find(|record| record.name.as_deref() == Some(name))
    }
}

impl RowTable {
    /// Names every long row after the parameter or node that has it first: such a name stays when
    /// something is put before it.
    pub fn of(dag: &Dag) -> Self {
        let mut table = Self::default();
        for parameter in &dag.parameters {
            table.collect(&parameter.ty, &parameter.name, None);
        }
        table.collect_nodes(&dag.nodes, &dag.outputs);
        table
    }

    /// The same rows, and every long record that has a name: for the text. JSON spells records out.
    pub fn with_records(mut self, dag: &Dag) -> Self {
        dag.parameters.iter().for_each(|parameter| self.collect_records(&parameter.ty));
        self.collect_node_records(&dag.nodes, &dag.outputs);
        self
    }

    /// False where the name is taken.
    pub fn insert_record(&mut self, record: RecordType) -> bool {
        let is_new = record.name.as_deref().is_some_and(|name| self.record(name).is_none());
        if is_new {
            self.records.push(record);
        }
        is_new
    }

    fn collect_node_records(&mut self, nodes: &[Node], outputs: &[Output]) {
        for node in nodes {
            node.outputs.iter().for_each(|port| self.collect_records(&port.ty));
            for (_, region) in node.kind.nested() {
                region.parameters.iter().for_each(|parameter| self.collect_records(&parameter.ty));
                self.collect_node_records(&region.nodes, &region.outputs);
            }
        }
        outputs.iter().for_each(|output| self.collect_records(&output.ty));
    }

    fn collect_records(&mut self, ty: &Type) {
        match ty {
            Type::Optional(of) | Type::List(of) | Type::Refined { base: of, .. } => self.collect_records(of),
            Type::Record(record) => {
                record.fields.iter().for_each(|field| self.collect_records(&field.ty));
                // A name without a dot may be that of a type of the language.
                let has_path = record.name.as_deref().is_some_and(|name| name.contains('.'));
                if has_path && ty.to_string().len() > LONG {
                    self.insert_record(record.clone());
                }
            }
            _ => {}
        }
    }

    /// False where the name is taken.
    pub fn insert(&mut self, name: String, row: Row) -> bool {
        let index = self.rows.len();
        if self.by_name.insert(name.clone(), index).is_some() {
            return false;
        }
        self.by_row.entry(row.clone()).or_insert(index);
        self.rows.push((name, row));
        true
    }

    fn collect_nodes(&mut self, nodes: &[Node], outputs: &[Output]) {
        for node in nodes {
            for port in &node.outputs {
                let name = (port.name != VALUE_PORT).then_some(port.name.as_str());
                self.collect(&port.ty, &node.id, name);
            }
            for (_, region) in node.kind.nested() {
                for parameter in &region.parameters {
                    self.collect(&parameter.ty, &node.id, Some(&parameter.name));
                }
                self.collect_nodes(&region.nodes, &region.outputs);
            }
        }
        for output in outputs {
            self.collect(&output.ty, &output.name, None);
        }
    }

    fn collect(&mut self, ty: &Type, carrier: &str, port: Option<&str>) {
        match ty {
            Type::Dataset(row) | Type::Column(row) => self.collect_row(row, carrier, port),
            Type::Model(model) => {
                self.collect_row(&model.row, carrier, port);
                if let Some(result) = &model.result {
                    self.collect_row(result, carrier, port);
                }
            }
            Type::Optional(of) | Type::List(of) | Type::Refined { base: of, .. } => {
                self.collect(of, carrier, port);
            }
            Type::Record(record) => {
                for field in &record.fields {
                    self.collect(&field.ty, carrier, Some(&field.name));
                }
            }
            _ => {}
        }
    }

    fn collect_row(&mut self, row: &Row, carrier: &str, port: Option<&str>) {
        if self.by_row.contains_key(row) || row.to_string().len() <= LONG {
            return;
        }
        let mut name: String = [Some(carrier), port].into_iter().flatten().collect::<Vec<_>>().join("_");
        name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !is_plain(&name) {
            name.insert_str(0, "row_");
        }
        let mut number = 1;
        let mut numbered = name.clone();
        while self.by_name.contains_key(&numbered) {
            number += 1;
            numbered = format!("{name}_{number}");
        }
        self.insert(numbered, row.clone());
    }
}
